"""How does the adjoint jump at an event?  From the problem to SymPy expressions.

    before     u' = f1(t, u, p),  u(t0) = b(p), running cost l1, until phi(t, u, p) = 0: this is at t = tau
    event      u+ = r(tau, u-, p), which costs k(tau, u-, p)
    after      u' = f2(t, u, p), running cost l2, terminal cost g(T, u(T), p)

    D   = phi_t + phi_u f1                                            with u-, not 0: the path crosses phi = 0
    eta = l1 - l2 + k_t + k_u f1 + lam+^T (r_t + r_u f1 - f2)         f2 and l2 with u+, all else with u-
    lam(tau-)^T = lam+^T r_u + k_u - (eta/D) phi_u,    dG/dp gains lam+^T r_p + k_p - (eta/D) phi_p

Between the events everything is as in `verify.calculus.adjoint`, whose layout is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sympy import Expr, Function, ImmutableMatrix, Integral, S, Symbol, cos, diff, sin, tanh, zeros

from verify.calculus.adjoint import (
    Problem,
    adjoint_system,
    entire,
    generic_problem,
    jacobian,
    numeric_adjoint,
    numeric_problem,
)
from verify.calculus.adjoint_slips import Slip
from verify.verdict import Evidence, Rigor

if TYPE_CHECKING:
    from verify.numerics.event_routes import EventProblem as NumericEventProblem
    from verify.numerics.event_routes import NumericJump


@dataclass(frozen=True)
class EventProblem:
    """A problem whose path is reset, and goes on by other equations, where `when` first vanishes.

    before   f1, b and l1, and the terminal cost g.
    when     phi, a scalar;  reset r, (N, 1);  cost k, a scalar: in time, state just before, and parameters.
    field, running   f2, (N, 1), and l2, from there on.
    """

    before: Problem
    when: Expr
    reset: ImmutableMatrix
    field: ImmutableMatrix
    running: Expr = S.Zero
    cost: Expr = S.Zero

    def __post_init__(self) -> None:
        at_event = replace(self.before, field=self.reset, running=self.when, terminal=self.cost)  # names and shapes
        after = self.after
        for name, value in (
            ("when", at_event.running),
            ("reset", at_event.field),
            ("cost", at_event.terminal),
            ("field", after.field),
            ("running", after.running),
        ):
            object.__setattr__(self, name, value)

    @property
    def after(self) -> Problem:
        """f2, l2 and g; its initial value is not asked for."""
        return replace(self.before, field=self.field, running=self.running)

    @cached_property
    def crossing(self) -> Expr:
        """D = phi_t + phi_u f1."""
        return self._rate(self.before.field)

    def _rate(self, field: ImmutableMatrix) -> Expr:
        return diff(self.when, self.before.time) + (jacobian(self.when, self.before.state) * field)[0]

    def just_after(self, expression: Any) -> Any:
        """An expression of the phase after the event, in time, state just before, and parameters."""
        return expression.xreplace(dict(zip(self.before.state, self.reset.flat(), strict=True)))


@dataclass(frozen=True)
class Jump:
    """A claimed jump of the adjoint; `adjoint_jump` gives the right one.

    costate   the N symbols of lam+.
    before    lam(tau-), (N, 1), and gain, the part of dG/dp, (1, M): in time, state just before, costate, parameters.
    """

    costate: tuple[Symbol, ...]
    before: ImmutableMatrix
    gain: ImmutableMatrix


@dataclass(frozen=True)
class _Terms:
    """What the jump is made of."""

    costate: tuple[Symbol, ...]
    eta: Any
    crossing: Any
    when_u: Any
    when_p: Any
    reset_u: Any
    reset_p: Any
    cost_u: Any
    cost_p: Any

    def jump(self) -> Jump:
        lam, share = ImmutableMatrix(self.costate), self.eta / self.crossing
        return Jump(
            costate=self.costate,
            before=ImmutableMatrix(self.reset_u.T * lam + self.cost_u.T - share * self.when_u.T),
            gain=ImmutableMatrix(lam.T * self.reset_p + self.cost_p - share * self.when_p),
        )


def adjoint_jump(problem: EventProblem) -> Jump:
    """The right jump; the costate is called lambda_1 … lambda_N."""
    return _terms(problem).jump()


def _terms(problem: EventProblem) -> _Terms:
    smooth = problem.before
    costate = adjoint_system(smooth).costate
    t, u, p, lam = smooth.time, smooth.state, smooth.parameters, ImmutableMatrix(costate)
    reset_u, cost_u = jacobian(problem.reset, u), jacobian(problem.cost, u)
    moved = diff(problem.reset, t) + reset_u * smooth.field - problem.just_after(problem.field)
    spent = smooth.running - problem.just_after(problem.running)
    spent += diff(problem.cost, t) + (cost_u * smooth.field)[0]
    return _Terms(
        costate=costate,
        eta=spent + (lam.T * moved)[0],
        crossing=problem.crossing,
        when_u=jacobian(problem.when, u),
        when_p=jacobian(problem.when, p),
        reset_u=reset_u,
        reset_p=jacobian(problem.reset, p),
        cost_u=cost_u,
        cost_p=jacobian(problem.cost, p),
    )


def gradient_expression(problem: EventProblem, start: Symbol, event: Symbol, end: Symbol) -> ImmutableMatrix:
    """(dG/dp, dG/du0, dG/dt0, dG/dT), M + N + 2 expressions; what is after the event has a + at its name."""
    jump = adjoint_jump(problem)
    t, u, costate = problem.before.time, problem.before.state, jump.costate
    first, second = adjoint_system(problem.before), adjoint_system(problem.after)

    def functions(names: tuple[Symbol, ...], mark: str) -> dict[Symbol, Any]:
        made: dict[Symbol, Any] = {name: Function(f"{name}{mark}", real=True) for name in names}
        return {name: function(t) for name, function in made.items()}

    earlier, later = functions((*u, *costate), ""), functions((*u, *costate), "^+")
    at_event = {**{name: earlier[name] for name in u}, **{name: later[name] for name in costate}}

    def at(entry: Any, along: Mapping[Symbol, Any], when: Symbol) -> Any:
        return entry.subs(along).subs(t, when)

    at_start, at_end = ImmutableMatrix(costate).T * first.boundary, second.explicit
    rows = [
        at(at_end[i], later, end) + at(at_start[i], earlier, start) + at(jump.gain[i], at_event, event)
        + Integral(at(first.density[i], earlier, t), (t, start, event))
        + Integral(at(second.density[i], later, t), (t, event, end))
        for i in range(len(problem.before.parameters))
    ]  # fmt: skip
    rows += [at(name, earlier, start) for name in costate]
    return ImmutableMatrix([*rows, at(first.at_start, earlier, start), at(second.at_end, later, end)])


def generic_event_problem(states: int, parameters: int) -> EventProblem:
    """Undefined functions of time, state and parameters: f and l, and from the event on h and m; phi, r, k and g."""
    before = generic_problem(states, parameters)
    everything = (before.time, *before.state, *before.parameters)

    def undefined(name: str) -> Any:
        function: Any = Function(name, real=True)
        return function(*everything)

    def column(name: str) -> ImmutableMatrix:
        return ImmutableMatrix([undefined(f"{name}_{i + 1}") for i in range(states)])

    return EventProblem(
        before, when=undefined("phi"), reset=column("r"), field=column("h"), running=undefined("m"), cost=undefined("k")
    )


# --- mistakes -----------------------------------------------------------------------------------


def slips(problem: EventProblem) -> Iterator[Slip[Jump]]:
    """Wrong neighbours of the problem's jump; those equal to the right one are left out."""
    right = adjoint_jump(problem)
    return (slip for slip in _slips(problem, _terms(problem)) if slip.system != right)


def _slips(problem: EventProblem, right: _Terms) -> Iterator[Slip[Jump]]:
    smooth = problem.before
    t, lam = smooth.time, ImmutableMatrix(right.costate)
    n, m = len(smooth.state), len(smooth.parameters)

    def slip(name: str, says: str, *blind: str, **wrong: Any) -> Slip[Jump]:
        return Slip(name, says, blind, replace(right, **wrong).jump())

    still = ("f1 = f2 with r = u and one cost", "dG/dtau = 0")
    no_row = ImmutableMatrix(zeros(1, m))
    untimed = right.eta - diff(problem.cost, t)
    yield slip("saltation", "eta = 0: the jump for an event at a fixed time", *still, eta=S.Zero)
    yield slip("sign of tau_p", "+ (eta/D) phi_u and + (eta/D) phi_p", *still, eta=-right.eta)
    later = problem._rate(problem.just_after(problem.field))
    yield slip("f after for f before in D", "D = phi_t + phi_u f2", "phi_u f1 = phi_u f2", *still, crossing=later)
    timeless = problem.crossing - diff(problem.when, t)
    yield slip("missing-term phi_t", "D = phi_u f1", "phi without t", *still, crossing=timeless)
    yield slip("missing-term phi_p", "(eta/D) phi_p missing", "phi without p", *still, when_p=no_row)
    yield slip("missing-term r_p", "lam^T r_p missing", "r without p", reset_p=ImmutableMatrix(zeros(n, m)))
    drift = (lam.T * diff(problem.reset, t))[0]
    yield slip("missing-term r_t", "lam^T r_t missing in eta", "r without t", eta=right.eta - drift)
    yield slip("transpose of r_u", "r_u lam for r_u^T lam", "N = 1", "r_u symmetric", reset_u=right.reset_u.T)
    unmoved = right.eta + (lam.T * (problem.just_after(problem.field) - problem.field))[0]
    yield slip("f2 at the state just before", "eta with f2 of the state before", "r = u", "f2 without u", eta=unmoved)
    yield slip("missing-term k_p", "k_p missing", "k without p", cost_p=no_row)
    yield slip("missing-term k_t", "k_t missing in eta", "k without t", eta=untimed)
    yield slip("missing-term k_u", "k_u missing in lam just before", "k without u", cost_u=ImmutableMatrix(zeros(1, n)))
    unspent = right.eta - smooth.running + problem.just_after(problem.running)
    yield slip("missing-term l1 - l2", "l1 - l2 missing in eta", "l1 = l2 and r = u", eta=unspent)


# --- hypotheses ---------------------------------------------------------------------------------


def smoothness(problem: EventProblem) -> Evidence:
    """Everything is built from polynomials, exp, sin, cos and tanh: then it is smooth on the whole space."""
    smooth, at_event = problem.before, (problem.when, *problem.reset, problem.cost, problem.running)
    return entire(*smooth.field, *smooth.initial, smooth.running, smooth.terminal, *problem.field, *at_event)


def happens_once(problem: EventProblem, box: Mapping[Symbol, tuple[float, float]], duration: float) -> Evidence:
    """phi < 0 at the start, and phi_t + phi_u f1 at least d > 0 at every time and state, with d duration > -phi(t0).

    Then phi grows along every path until it vanishes, which it does within the duration, once, and not by touching.
    box   (low, high) for each parameter.  A sufficient condition, in balls, in which sin, cos and tanh are unknowns
    between -1 and 1: where it fails, nothing is known.
    """
    start = dict(zip(problem.before.state, problem.before.initial.flat(), strict=True))
    first, rate = _ball(problem.when.xreplace(start), box), _ball(problem.crossing, box)
    if first is None or rate is None:
        return Evidence("phi and D in balls", Rigor.ENCLOSED, None, frozenset({"arb"}))
    least = float(rate.lower())
    holds = first < 0 and rate > 0 and bool(rate.lower() * duration > -first.lower())
    route = f"phi and D in balls, D at least {least:.2g}"
    return Evidence(route, Rigor.ENCLOSED, True if holds else None, frozenset({"arb"}))


def _ball(expression: Expr, box: Mapping[Symbol, tuple[float, float]]) -> Any:
    """An enclosure of all values; None for anything but sums, products and powers of box, sin, cos and tanh."""
    from flint import arb

    e: Any = expression
    if e.is_Rational:
        return arb(int(e.p)) / int(e.q)
    if e in box:
        return arb(box[e][0]).union(arb(box[e][1]))
    if isinstance(e, sin | cos | tanh):
        return arb(-1).union(arb(1))
    parts = [] if e.is_Pow else [_ball(part, box) for part in e.args]
    if e.is_Pow and e.exp.is_Integer and e.exp > 0:
        parts = [_ball(e.base, box)] * int(e.exp)
    if not parts or None in parts or not (e.is_Add or e.is_Mul or e.is_Pow):
        return None
    total = parts[0]
    for part in parts[1:]:
        total = total + part if e.is_Add else total * part
    return total


def passes_through(problem: EventProblem) -> Evidence:
    """phi_t + phi_u f is constant and of one sign before and after the event: nothing slides along phi = 0."""
    before, after = problem.crossing, problem._rate(problem.just_after(problem.field))
    known = before.is_number and after.is_number
    holds = True if known and before * after > 0 else None
    return Evidence(f"phi' is {before} before and {after} after", Rigor.EXACT, holds, frozenset({"structure"}))


# --- as functions of arrays ---------------------------------------------------------------------


def numeric_event_problem(problem: EventProblem) -> NumericEventProblem:
    """The problem with its partial derivatives as functions of arrays."""
    from verify.numerics.compiled import array_function
    from verify.numerics.event_routes import EventProblem as NumericEventProblem
    from verify.numerics.event_routes import Partials

    t, u, p = problem.before.time, problem.before.state, problem.before.parameters

    def partials(of: Any, *shape: int) -> Partials:
        def function(part: Any, *more: int) -> Any:
            return array_function(part, (t, u, p), (*shape, *more))

        return Partials(
            value=function(of),
            by_t=function(diff(of, t)),
            by_u=function(jacobian(of, u), len(u)),
            by_p=function(jacobian(of, p), len(p)),
        )

    return NumericEventProblem(
        before=numeric_problem(problem.before),
        after=numeric_problem(problem.after),
        when=partials(problem.when),
        reset=partials(problem.reset, len(u)),
        cost=partials(problem.cost),
    )


def numeric_jump(problem: EventProblem, jump: Jump) -> NumericJump:
    """A claimed jump, with the right adjoint systems before and after, as functions of arrays."""
    from verify.numerics.compiled import array_function
    from verify.numerics.event_routes import NumericJump

    smooth = problem.before
    arguments = (smooth.time, smooth.state, jump.costate, smooth.parameters)
    before = array_function(jump.before, arguments, (len(smooth.state),))
    gain = array_function(jump.gain, arguments, (len(smooth.parameters),))
    return NumericJump(
        earlier=numeric_adjoint(smooth, adjoint_system(smooth, jump.costate)),
        later=numeric_adjoint(problem.after, adjoint_system(problem.after, jump.costate)),
        across=lambda *at: (before(*at), gain(*at)),
    )
