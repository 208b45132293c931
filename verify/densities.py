"""What is a flow or a density of which formulas are claimed?  Frozen records over the expression graph.

    flow, map      x = T(z):          logdet = log |det dT/dz|,  inverse z = S(x),  invertible on the declared domain
    flow, ode      z' = f(t, z):      dlogp = d/dt log p(z(t), t) = -div f
    stein          p = exp(log_density)/Z on its support:   score = grad log p,  an operator A with E_p[A f] = 0,
                   u(x, y) = s(x) k s(y) + s(x) d_y k + d_x k s(y) + d_x d_y k, summed over the variables

What a claim says of the inverse uses the names x1, x2, … (or x, where the state has one entry); second arguments of a
kernel are y, or y1, y2, … where there are several variables; test functions are f, or f1, f2, … of a vector field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from verify.claim import Domain
from verify.graph import Node
from verify.systems import Formula, Formulas, Names

if TYPE_CHECKING:
    from verify.decide.systems.result import SystemResult


class Judgeable:
    """What flows and densities answer."""

    def check(
        self, claim: Mapping[str, Any] | None = None, /, *, seed: int = 0, timeout: float | None = None, **parts: Any
    ) -> SystemResult:
        """Judge a claim: the keys of `[claim]` as one mapping or by keyword, with text or SymPy expressions in them.

        timeout     in seconds.  Raises ValueError, which names the key, for what cannot be read.
        """
        from verify.problems import check_density

        return check_density(self, {**(claim or {}), **parts}, seed, timeout)


@dataclass(frozen=True, init=False)
class FlowProblem(Judgeable):
    """x = map(z), or z' = rhs(t, z): one expression a state, in states, parameters (and t).

    domain   where states and parameters range; as a mapping it declares names as `let` does.

    `.check(logdet=…, inverse=…, invertible=…, dlogp=…)` judges, the last of them for `rhs`.  Raises ProblemError, a
    ValueError that names the part and how to mend it.
    """

    state: tuple[str, ...]
    parameters: tuple[str, ...]
    map: tuple[Node, ...]
    rhs: tuple[Node, ...]
    domain: Domain
    kind: str = "flow"

    def __init__(
        self, state: Names, map: Formulas = (), rhs: Formulas = (), parameters: Names = (),
        domain: Domain | Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        object.__setattr__(self, "kind", "flow")
        _build(self, state=state, parameters=parameters, map=map, rhs=rhs, domain=domain)
        if bool(self.map) == bool(self.rhs):
            raise ValueError("a flow has either a `map` x = T(z) or the `rhs` of z' = f(t, z); give one of the two")
        _check_names(self.state, self.parameters)
        key, given = ("map", self.map) if self.map else ("rhs", self.rhs)
        if len(given) != len(self.state):
            raise ValueError(f"`{key}` has {len(given)} entries, the state has {len(self.state)}; give one for each")

    @property
    def field(self) -> tuple[Node, ...]:
        """The map, or the right-hand side."""
        return self.map or self.rhs


@dataclass(frozen=True, init=False)
class SteinProblem(Judgeable):
    """A density exp(log_density) on its support, up to a constant factor.

    support   by variable: "interval(0, oo)", "positive", …; the whole line for those that are not in it.
    domain    where variables and parameters range: the support, and what `let` declares.

    `.check(score=…, identity=…, functions=…, kernel=…, ksd=…, normalised=…)` judges.  Raises ProblemError, a
    ValueError that names the part and how to mend it.
    """

    variables: tuple[str, ...]
    parameters: tuple[str, ...]
    log_density: Node
    domain: Domain
    kind: str = "stein"

    def __init__(
        self, variables: Names, log_density: Formula, support: Mapping[str, str] | None = None, parameters: Names = (),
        domain: Domain | Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        object.__setattr__(self, "kind", "stein")
        _build(self, variables=variables, parameters=parameters, log_density=log_density, support=support,
               domain=domain)  # fmt: skip
        _check_names(self.variables, self.parameters)


DensityProblem: TypeAlias = FlowProblem | SteinProblem


@dataclass(frozen=True)
class FlowClaim:
    """What is claimed of a flow; None, or empty, is not claimed.

    inverse   one expression a state in x1, x2, …
    text      the parts as they were written: "logdet", "inverse z1", …
    """

    logdet: Node | None = None
    dlogp: Node | None = None
    inverse: tuple[Node, ...] = ()
    invertible: bool | None = None
    text: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SteinClaim:
    """What is claimed of a density; None, or empty, is not claimed.

    score        one expression a variable.
    identity     operators in f (or f1, f2, …) whose expectations vanish.
    functions    test functions, each a tuple: one entry for f, one for each of f1, f2, … of a vector field.
    kernel, ksd  in the variables and `second_arguments`.
    """

    score: tuple[Node, ...] = ()
    identity: tuple[Node, ...] = ()
    functions: tuple[tuple[Node, ...], ...] = ()
    kernel: Node | None = None
    ksd: Node | None = None
    normalised: bool = False
    text: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DensitySystem:
    """A flow or a density, and what is claimed of it."""

    problem: DensityProblem
    claim: FlowClaim | SteinClaim
    title: str = ""
    source: str = ""


def images(problem: FlowProblem) -> tuple[str, ...]:
    """x1, x2, …: what the entries of the map are called in a claimed inverse."""
    return tuple(f"x{i}" for i in range(1, len(problem.state) + 1))


def second_arguments(problem: SteinProblem) -> tuple[str, ...]:
    """y, or y1, y2, …: the second arguments of a kernel."""
    if len(problem.variables) > 1:
        return tuple(f"y{i}" for i in range(1, len(problem.variables) + 1))
    return ("y",) if problem.variables != ("y",) else ("y1",)


def test_functions(problem: SteinProblem) -> tuple[str, ...]:
    """f, and f1, f2, … where there are several variables."""
    several = problem.variables if len(problem.variables) > 1 else ()
    return ("f", *(f"f{i}" for i in range(1, len(several) + 1)))


def _build(problem: DensityProblem, **given: Any) -> None:
    """Set the fields of a problem: as they are where they are nodes already, else read as a TOML file is."""
    formulas = [*given.get("map", ()), *given.get("rhs", ()), given.get("log_density")]
    if not isinstance(given["domain"], Domain) or not all(isinstance(each, Node) for each in formulas if each):
        from verify.problems import read_density

        given = read_density(problem.kind, given)
    for name, value in given.items():
        if name != "support":
            object.__setattr__(problem, name, value)


def _check_names(names: tuple[str, ...], parameters: tuple[str, ...]) -> None:
    if not names:
        raise ValueError("no variable is named; name one at least")
    whole = (*names, *parameters)
    if twice := sorted({name for name in whole if whole.count(name) > 1}):
        raise ValueError(f"{', '.join(twice)} occurs twice among variables and parameters; rename one of them")
