"""How often is a tool right, wrong or silent, and in which time?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Score:
    """What one tool made of the claims."""

    answers: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def add(self, answer: bool | None, truth: bool, seconds: float) -> None:
        self.answers["open" if answer is None else "right" if answer == truth else "wrong"] += 1
        self.seconds.append(seconds)
