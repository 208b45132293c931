"""Do an integrand and boundary values differ by a total derivative only?  Then the gradient is the same.

If Phi(t, u, l) changes along solutions at the rate D Phi, then adding D Phi to the integrand and Phi(t0) - Phi(T) to
the boundary values changes nothing.  Phi is looked for among simple products, with rational coefficients that a few
points suggest; whether it does what is needed is then decided exactly.  The Hamiltonian is one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from verify.calculus.costate import moved
from verify.calculus.primitives import primitive
from verify.calculus.reverse import gradient
from verify.calculus.tidy import expanded, is_zero, tidy
from verify.decide.systems.convention import Convention
from verify.graph import ONE, ZERO, Node, add, div, free_symbols, mul, num, substitute, symbol
from verify.language.write import write
from verify.systems import TIME
from verify.verdict import Result, Verdict

if TYPE_CHECKING:
    from verify.decide.systems.ode_task import OdeTask

#: Candidates that are fitted at once, and denominators of their coefficients.
MOST_CANDIDATES, DENOMINATOR = 60, 24
#: Relative residual of a fit that is worth deciding.
FIT = 1e-8


@dataclass(frozen=True)
class Compensation:
    """The total derivative that was found, and the verdicts on the two identities that it must fulfil."""

    holds: bool
    says: str
    results: tuple[Result, ...]


def compensation(task: OdeTask, key: tuple[str, str], convention: Convention) -> Compensation | None:
    """A total derivative that explains how a claimed gradient differs from the right one; None if none is found."""
    if (
        task.problem.observations or task.problem.events
    ):  # the adjoint jumps, and a total derivative is no longer known by its ends
        return None
    (inside, right_inside), (boundary, right_boundary) = task.pairs(key, convention)
    phis = [*_candidates(task, convention)][:MOST_CANDIDATES]
    phis += _primitives(task, (inside, right_inside))
    rates = [_along(task, convention, phi) for phi in phis]
    steps = [tidy(_at(task, convention, phi, 0) - _at(task, convention, phi, 1)) for phi in phis]
    useful = [
        i for i, (rate, step) in enumerate(zip(rates, steps, strict=True)) if not (is_zero(rate) and is_zero(step))
    ]
    coefficients = _fit(task, [rates[i] for i in useful], inside - right_inside,
                        [steps[i] for i in useful], boundary - right_boundary)  # fmt: skip
    if not coefficients:
        return None
    chosen = [(c, phis[i], rates[i], steps[i]) for c, i in zip(coefficients, useful, strict=True) if c]
    results = (
        task.identities.decide(inside, add(right_inside, *(mul(num(c), rate) for c, _, rate, _ in chosen))),
        task.identities.decide(boundary, add(right_boundary, *(mul(num(c), step) for c, _, _, step in chosen))),
    )
    says = write(tidy(add(*(mul(num(c), phi) for c, phi, _, _ in chosen))))
    return Compensation(all(result.verdict is Verdict.PROVED for result in results), says, results)


def _candidates(task: OdeTask, convention: Convention) -> Iterator[Node]:
    """The Hamiltonian first, then products of an adjoint and a state, each also times t and times a parameter."""
    problem = task.problem
    t = symbol(TIME)
    u = [symbol(name) for name in problem.state]
    l = [symbol(name) for name in task.names]
    hamiltonian = convention.claimed(
        add(problem.running, *(mul(symbol(name), f) for name, f in zip(task.names, problem.rhs, strict=True)))
    )
    # Where nothing depends on time the Hamiltonian is the same at both ends, and the initial rates are constants.
    at_start = {symbol(TIME): problem.t0, **{symbol(n): b for n, b in zip(problem.state, problem.initial, strict=True)}}
    rates = [tidy(substitute(f, at_start)) for f in problem.rhs]
    products = [
        hamiltonian,
        *(div(hamiltonian, f) for f in rates if f.op != "num"),
        *(mul(a, b) for a in l for b in u),
    ]
    products = list(dict.fromkeys(products))
    simple = list(dict.fromkeys((*products, *l, *u, *(mul(a, b) for a in u for b in u))))
    yield from simple
    yield from (mul(t, each) for each in simple)
    yield from (mul(problem.T, each) for each in products if problem.T.op != "num")
    for name in problem.parameters:
        for each in products:
            yield mul(symbol(name), each)
            yield div(each, symbol(name))
            yield div(mul(t, each), symbol(name))


def _primitives(task: OdeTask, nodes: Iterable[Node]) -> list[Node]:
    """What the terms that depend on time alone are the derivatives of."""
    moving = {*task.problem.state, *task.names}
    alone = [term for node in nodes for term in expanded(node) or () if not free_symbols(term) & moving]
    found = (primitive(term) for term in dict.fromkeys(alone) if term is not ZERO)
    return [phi for phi in found if phi is not None]


def _along(task: OdeTask, convention: Convention, phi: Node) -> Node:
    """The total derivative of phi along the solutions."""
    problem = task.problem
    slopes = gradient(phi, (TIME, *problem.state, *task.names))
    rates = [ONE, *problem.rhs, *(convention.entry(task.costate.rate, i) for i in range(len(task.names)))]
    return tidy(add(*(mul(slope, rate) for slope, rate in zip(slopes, rates, strict=True))))


def _at(task: OdeTask, convention: Convention, phi: Node, which: int) -> Node:
    """phi at the initial (0) or the final time (1)."""
    time = (task.problem.t0, task.problem.T)[which]
    there = moved((phi,), (*task.problem.state, *task.names), task.ends[which])[0]
    return task.grounded(substitute(there, {symbol(TIME): time}), convention)


def _fit(task: OdeTask, rates: list[Node], inside: Node, steps: list[Node], boundary: Node) -> list[Fraction] | None:
    """Rational coefficients with which the candidates make up both differences at a few points."""
    import numpy as np

    from verify.numerics.straight import NoFloat, Straight

    rows, right = [], []
    for nodes, target in ((rates, inside), (steps, boundary)):
        try:
            program = Straight((*nodes, target))
        except NoFloat:
            return None
        count = max(4, 2 * len(nodes) // 3 + 4)
        for values in task.identities.points((*nodes, target), count):
            found = np.array([float(value) for value in program(values)])
            if np.all(np.isfinite(found)):
                scale = np.max(np.abs(found)) or 1.0
                rows.append(found[:-1] / scale)
                right.append(found[-1] / scale)
    if len(rows) <= len(rates):
        return None
    matrix, target = np.array(rows), np.array(right)
    # The fewest candidates that do: one alone first, then all.
    for place in range(len(rates)):
        column = matrix[:, place]
        if (square := column @ column) > 0:
            c = Fraction(float(column @ target / square)).limit_denominator(DENOMINATOR)
            if c and np.max(np.abs(column * float(c) - target)) < FIT:
                return [c if i == place else Fraction(0) for i in range(len(rates))]
    found, *_ = np.linalg.lstsq(matrix, target, rcond=1e-10)
    coefficients = [Fraction(float(c)).limit_denominator(DENOMINATOR) for c in found]
    close = np.max(np.abs(matrix @ np.array([float(c) for c in coefficients]) - target)) < FIT
    return coefficients if close and any(coefficients) else None
