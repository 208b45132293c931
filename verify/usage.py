"""What can the person at the keyboard mend, and with which status does the program end?"""

from __future__ import annotations

EXIT_USAGE, EXIT_UNDECIDED, EXIT_INTERRUPTED = 2, 3, 130


class UsageError(Exception):
    """Bad usage, or a file that cannot be read; shown as one message, exit status 2."""


def point_of(text: str | None) -> dict[str, str] | None:
    """x=3/7, y=-2 as {"x": "3/7", "y": "-2"}."""
    if text is None:
        return None
    point = {}
    for part in _between_commas(text):
        name, equals, value = part.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise UsageError(f"--at: {part.strip()!r} is no coordinate; write --at 'x=3/7, y=-2'")
        point[name.strip()] = value.strip()
    return point


def _between_commas(text: str) -> list[str]:
    """The parts of a text between commas that stand in no bracket."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "[(") - (character in "])")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
