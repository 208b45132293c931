"""Which mistakes are made with the gradient through a recurrence?  Each as a sweep to the wrong value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from verify.numerics.recurrences import Recurrence, reverse

Array = Any


@dataclass(frozen=True)
class Slip:
    """A wrong gradient: its name, the wrong formula, the inputs that hide it, and value(x, p) of shape (M,)."""

    name: str
    says: str
    blind: tuple[str, ...]
    value: Callable[[list[Array], Array], Array]


def slips(recurrence: Recurrence) -> Iterator[Slip]:
    """Wrong neighbours of the reverse sweep."""

    def instead(**functions: Callable[..., Any]) -> Callable[..., Array]:
        changed = replace(recurrence, **functions)
        return lambda x, p: reverse(changed, x, p)

    def none(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *at: np.zeros_like(function(*at))

    r = recurrence
    turned = instead(step_x=lambda k, x, p: np.asarray(r.step_x(k, x, p)).T)
    yield Slip("transpose", "lam[k-1] = F_x lam[k] + l_x^T", ("N = 1", "symmetric F_x"), turned)
    yield Slip("shifted multiplier", "lam[k-1]^T F_p(k)", ("lam does not change",), lambda x, p: _shifted(r, x, p))
    later = lambda x, p: reverse(r, [*x[1:], x[-1]], p)  # noqa: E731
    yield Slip("later state", "Jacobians at x[k]", ("F linear in x", "all x equal"), later)
    yield Slip("order of factors", "F_x(1) first", ("n = 1", "commuting F_x"), lambda x, p: _other_order(r, x, p))
    yield Slip("boundary", "lam[0]^T b_p missing", ("b independent of p",), instead(initial_p=none(r.initial_p)))
    yield Slip("missing-term g_p", "g_p missing", ("g independent of p",), instead(value_p=none(r.value_p)))
    yield Slip("missing-term l_p", "l_p missing", ("l independent of p",), instead(running_p=none(r.running_p)))
    yield Slip("missing-term l_x", "l_x missing in lam", ("l_x = 0",), instead(running_x=none(r.running_x)))
    negative = instead(running_x=lambda k, x, p: -np.asarray(r.running_x(k, x, p)))
    yield Slip("sign of l_x", "lam[k-1] = F_x^T lam[k] - l_x^T", ("l_x = 0",), negative)


def _shifted(r: Recurrence, x: list[Array], p: Array) -> Array:
    lam, total = r.value_x(x[-1], p), r.value_p(x[-1], p)
    for k in range(len(x) - 1, 0, -1):
        before = x[k - 1]
        lam = lam @ r.step_x(k, before, p) + r.running_x(k - 1, before, p)
        total = total + lam @ r.step_p(k, before, p) + r.running_p(k - 1, before, p)
    return total + lam @ r.initial_p(p)


def _other_order(r: Recurrence, x: list[Array], p: Array) -> Array:
    """The Jacobians of the steps are met in the order of the steps, not against it."""
    n = len(x) - 1
    met = iter(range(1, n + 1))

    def step_x(_k: int, _x: Array, p: Array) -> Array:
        k = next(met)
        return r.step_x(k, x[k - 1], p)

    return reverse(replace(r, step_x=step_x), x, p)
