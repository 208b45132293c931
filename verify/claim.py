"""What is claimed, and where?  Frozen records over the expression graph, validated when they are built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from verify.graph import Node, free_symbols, postorder

FIELDS = ("real", "integer", "complex")


@dataclass(frozen=True)
class Variable:
    """A name and the set it ranges over: an open interval of reals, the integers in it, or the complex plane.

    low, high   constant expressions (`pi/2` is one), or None where the interval does not end.
    """

    name: str
    field: str = "real"
    low: Node | None = None
    high: Node | None = None
    closed_low: bool = False
    """Whether `low` itself belongs to the set (nonnegative, integers); an isolated end never matters to an identity."""
    closed_high: bool = False
    """Whether `high` itself does (nonpositive)."""

    def __post_init__(self) -> None:
        if self.field not in FIELDS:
            raise ValueError(f"variable {self.name!r}: field {self.field!r} is none of {', '.join(FIELDS)}")
        if self.field == "complex" and (self.low or self.high):
            raise ValueError(f"variable {self.name!r}: a complex variable has no interval")


@dataclass(frozen=True)
class Domain:
    """The variables by name, and conditions (compare, and, or nodes) that cut their product down."""

    variables: Mapping[str, Variable] = field(default_factory=dict)
    conditions: tuple[Node, ...] = ()
    everywhere: bool = False
    """Whether kinks and jumps belong to the claim too."""

    def __post_init__(self) -> None:
        undeclared = free_symbols(*self.conditions) - set(self.variables)
        if undeclared:
            raise ValueError(f"a condition uses {', '.join(sorted(undeclared))}, which the domain does not declare")


@dataclass(frozen=True)
class Claim:
    """lhs = rhs at every point of the domain where both sides are defined."""

    lhs: Node
    rhs: Node
    domain: Domain
    text: str = ""
    notes: tuple[str, ...] = ()
    """Readings that were taken where the text allowed another one."""

    def __post_init__(self) -> None:
        undeclared = free_symbols(self.lhs, self.rhs) - set(self.domain.variables)
        if undeclared:
            declared = ", ".join(map(repr, sorted(self.domain.variables))) or "nothing"
            raise ValueError(
                f"claim {self.text!r}: no domain for {', '.join(map(repr, sorted(undeclared)))}; declared: {declared}. "
                "Add a variable to `domain`."
            )

    @property
    def is_complex(self) -> bool:
        """Whether a complex name is declared or I occurs; otherwise every intermediate value must be real."""
        return any(v.field == "complex" for v in self.domain.variables.values()) or any(
            node.op == "constant" and node.value == "I" for node in postorder(self.lhs, self.rhs)
        )
