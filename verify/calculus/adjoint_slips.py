"""Which mistakes are made with adjoint systems?  Each as a wrong system, with the inputs at which it does not show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from sympy import ImmutableMatrix, zeros

from verify.calculus.adjoint import AdjointSystem, Problem, adjoint_system, jacobian

System = TypeVar("System")


@dataclass(frozen=True)
class Slip(Generic[System]):
    """A wrong adjoint system, second-order system or jump.

    name    its place in the vocabulary of diagnoses, made unique by a word.
    says    the wrong formula.
    blind   inputs at which it gives the right gradient by accident.
    """

    name: str
    says: str
    blind: tuple[str, ...]
    system: System


def slips(problem: Problem) -> Iterator[Slip[AdjointSystem]]:
    """Every wrong neighbour of the problem's adjoint system; those equal to the right system are left out."""
    right = adjoint_system(problem)
    return (slip for slip in _slips(problem, right) if slip.system != right)


def _slips(problem: Problem, right: AdjointSystem) -> Iterator[Slip[AdjointSystem]]:
    n, m = len(problem.state), len(problem.parameters)
    lam = ImmutableMatrix(right.costate)
    l_u, l_p = jacobian(problem.running, problem.state), jacobian(problem.running, problem.parameters)
    none = ImmutableMatrix(zeros(n, 1))

    yield Slip("sign of lam'", "lam' = +f_u^T lam + l_u^T", ("f_u = 0 and l_u = 0",), replace(right, rate=-right.rate))
    yield Slip("sign of l_u", "lam' = -f_u^T lam + l_u^T", ("l_u = 0",), replace(right, rate=right.rate + 2 * l_u.T))
    transposed = replace(right, rate=-problem.field_u * lam - l_u.T)
    yield Slip("transpose", "lam' = -f_u lam - l_u^T", ("N = 1", "symmetric f_u"), transposed)
    yield Slip("final value", "lam(T) = 0 with a terminal cost", ("g_u = 0",), replace(right, final=none))
    from_source = replace(right, final=right.final + l_u.T)
    yield Slip("final value from l", "lam(T) = g_u^T + l_u^T", ("l_u = 0 at T",), from_source)
    boundary = replace(right, boundary=ImmutableMatrix(zeros(n, m)))
    yield Slip("boundary", "lam(t0)^T b_p missing", ("b independent of p",), boundary)
    yield Slip(
        "boundary twice", "2 lam(t0)^T b_p", ("b independent of p",), replace(right, boundary=2 * right.boundary)
    )
    yield Slip("missing-term l_p", "l_p missing", ("l independent of p",), replace(right, density=right.density - l_p))
    no_explicit = replace(right, explicit=ImmutableMatrix(zeros(1, m)))
    yield Slip("missing-term g_p", "g_p missing", ("g independent of p",), no_explicit)
    reversed_ = replace(right, density=-right.density)
    yield Slip("limits", "the integral from T to t0", ("the integral is 0",), reversed_)
    yield Slip(
        "time: sign at t0", "dG/dt0 = +(l + lam^T f)(t0)", ("H(t0) = 0",), replace(right, at_start=-right.at_start)
    )
    no_running = replace(right, at_end=right.at_end - problem.running)
    yield Slip("time: no l at T", "dG/dT = (lam^T f)(T)", ("l(T) = 0",), no_running)
