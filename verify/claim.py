"""What is claimed, and where?  Frozen records over the expression graph, validated when they are built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from verify.graph import Node, free_symbols, is_shaped, postorder

FIELDS = ("real", "integer", "complex", "size")
STRUCTURES = ("", "symmetric", "spd", "antisymmetric", "orthogonal", "diagonal")

#: A number, or a name that stands for every whole number from 1 on.
Size = int | str
#: () a scalar, (n,) a column, (m, n) a matrix, (1, n) a row.
Shape = tuple[Size, ...]


@dataclass(frozen=True)
class Variable:
    """A name and the set it ranges over: an open interval of reals, the integers in it, or the complex plane.

    low, high   constant expressions (`pi/2` is one), or None where the interval does not end.
    field       "size" for a name that stands for the size of a vector or matrix, a whole number from 1 on.
    shape       () a scalar, (n,) a column vector, (m, n) a matrix (1×1 is a scalar, n×1 a column).
    structure   what is known of a square matrix; empty for a general one.
    of          the names that an abstract function, vector or matrix depends on; empty for a free variable.
    """

    name: str
    field: str = "real"
    low: Node | None = None
    high: Node | None = None
    closed_low: bool = False
    """Whether `low` itself belongs to the set (nonnegative, integers); an isolated end never matters to an identity."""
    closed_high: bool = False
    """Whether `high` itself does (nonpositive)."""
    shape: Shape = ()
    structure: str = ""
    of: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.structure not in STRUCTURES:
            raise ValueError(f"variable {self.name!r}: structure {self.structure!r} is none of {STRUCTURES[1:]}")
        if self.structure and (len(self.shape) != 2 or self.shape[0] != self.shape[1]):
            raise ValueError(f"variable {self.name!r}: a {self.structure} matrix is square, not {self.shape}")
        if (self.shape or self.of) and self.field != "real":
            raise ValueError(f"variable {self.name!r}: vectors, matrices and abstract functions are real")
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
    structured: bool = False
    """Whether a gradient by a symmetric (spd, diagonal …) matrix varies it among such matrices, not entry by entry."""

    def __post_init__(self) -> None:
        undeclared = free_symbols(*self.conditions) - set(self.variables)
        if undeclared:
            raise ValueError(f"a condition uses {', '.join(sorted(undeclared))}, which the domain does not declare")

    def inequalities(self) -> Iterator[tuple[Node, Node, bool]]:
        """(the larger side, the smaller side, whether they differ) of each inequality among the conditions."""
        stack = list(self.conditions)
        while stack:
            condition = stack.pop(0)
            if condition.op == "and":
                stack = [*condition.args, *stack]
            elif condition.op == "compare" and condition.value in ("<", "<=", ">", ">="):
                larger, smaller = condition.args if condition.value[0] == ">" else condition.args[::-1]
                yield larger, smaller, len(condition.value) == 1


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
        abstract = {node.value[0] for node in postorder(self.lhs, self.rhs) if node.op == "abstract"}
        undeclared = (free_symbols(self.lhs, self.rhs) | abstract) - set(self.domain.variables)
        if undeclared:
            declared = ", ".join(map(repr, sorted(self.domain.variables))) or "nothing"
            raise ValueError(
                f"claim {self.text!r}: no domain for {', '.join(map(repr, sorted(undeclared)))}; declared: {declared}. "
                "Add a variable to `domain`."
            )

    @property
    def is_shaped(self) -> bool:
        """Whether vectors, matrices, their functions or abstract functions occur; otherwise all is about numbers."""
        variables = self.domain.variables.values()
        return any(v.shape or v.of or v.structure or v.field == "size" for v in variables) or is_shaped(
            self.lhs, self.rhs
        )

    @property
    def is_complex(self) -> bool:
        """Whether a complex name is declared or I occurs; otherwise every intermediate value must be real."""
        return any(v.field == "complex" for v in self.domain.variables.values()) or any(
            node.op == "constant" and node.value == "I" for node in postorder(self.lhs, self.rhs)
        )
