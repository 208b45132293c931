"""Which mistakes are made with the gradient through a linear ODE?  Each as a route to the wrong value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from scipy.linalg import expm

from verify.derivation import Figure, Series
from verify.numerics.compare import disagreement
from verify.numerics.exponential import LinearProblem, assembled, block_exponential, frechet_adjoint

#: Formulas of (A, A_p, T) for the derivative of e^{TA}, all right where A and A_p commute and only there.
COMMUTED: dict[str, Callable[..., Any]] = {
    "T A_p e^{TA}": lambda A, A_p, T: T * A_p @ expm(T * A),
    "T e^{TA} A_p": lambda A, A_p, T: T * expm(T * A) @ A_p,
    "T/2 (A_p e^{TA} + e^{TA} A_p)": lambda A, A_p, T: T / 2 * (A_p @ expm(T * A) + expm(T * A) @ A_p),
    "T e^{TA/2} A_p e^{TA/2}": lambda A, A_p, T: T * expm(T / 2 * A) @ A_p @ expm(T / 2 * A),
}
_NAMES = ("commute", "commute: other order", "commute: mean", "commute: halves")


@dataclass(frozen=True)
class Slip:
    """A wrong gradient: its name, the wrong formula, the inputs that hide it, and value(p, T) of shape (M,)."""

    name: str
    says: str
    blind: tuple[str, ...]
    value: Callable[..., Any]


def slips(problem: LinearProblem) -> Iterator[Slip]:
    """Wrong neighbours of the gradient."""
    commuting = ("A and A_p commute", "n = 1", "only the trace is looked at")
    for name, (says, derivatives) in zip(_NAMES, COMMUTED.items(), strict=True):
        yield Slip(name, f"dE/dp = {says}", commuting, partial(assembled, problem, derivatives=derivatives))

    def instead(**functions: Callable[..., Any]) -> Callable[..., Any]:
        return partial(block_exponential, replace(problem, **functions))

    def zeros_like(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *at: np.zeros_like(function(*at))

    turned = instead(matrix_p=lambda p: problem.matrix_p(p).swapaxes(1, 2))
    yield Slip("transpose", "A_p' for A_p", ("symmetric A_p",), turned)
    yield Slip("sign", "minus the integral", ("A independent of p",), instead(matrix_p=lambda p: -problem.matrix_p(p)))
    no_boundary = instead(initial_p=zeros_like(problem.initial_p))
    yield Slip("boundary", "b_p missing", ("b independent of p",), no_boundary)
    no_explicit = instead(terminal_p=zeros_like(problem.terminal_p))
    yield Slip("missing-term", "g_p missing", ("g independent of p",), no_explicit)


def errors_over_time(
    problem: LinearProblem, reference: Callable[..., Any], *, p: Any, times: tuple[float, ...]
) -> Figure:
    """How far the commuted formulas are off as T grows, beside the Fréchet derivative, which is off by round-off."""
    wanted = [reference(problem, p, T) for T in times]

    def series(label: str, value: Callable[..., Any], style: str = "line") -> Series:
        errors = (disagreement(value(p, T), want) for T, want in zip(times, wanted, strict=True))
        return Series(label, times, tuple(float(f"{max(e, 1e-17):.3e}") for e in errors), style)

    return Figure(
        title="Moving dA/dp past the exponential costs half a commutator",
        x_label="T",
        y_label="relative error of the gradient",
        series=(
            *(series(says, partial(assembled, problem, derivatives=f)) for says, f in COMMUTED.items()),
            series("Fréchet derivative", partial(frechet_adjoint, problem), "points"),
        ),
        log_x=True,
        log_y=True,
        caption="The first two grow like T²/2 times the commutator of A and dA/dp, the symmetric ones like T³.",
    )
