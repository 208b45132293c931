"""Which slip turns the true gradient into the claimed one?

Given are Jacobians at a few points, claimed and measured, as arrays (k, m, n).  The hypotheses are tried from the
smallest change to the largest; the first that explains every point is named.  A name is an observation at these
points, no proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
CLOSE = 1e-6
"""Relative tolerance of an explanation where the measurement is better than that."""


@dataclass(frozen=True)
class Slip:
    """A name of the vocabulary of diagnoses, what happened in words, and the claim put right, where that is simple."""

    name: str
    says: str
    correction: str | None = None


@dataclass(frozen=True)
class Samples:
    """What is known at k points.

    x                  points (k, n).
    claimed, measured  Jacobians (k, m, n).
    tolerance          relative difference that counts as agreement (dimensionless).
    error              relative error of the measured Jacobians.
    shape, out         shapes of the argument and of the answer.
    """

    x: Array
    claimed: Array
    measured: Array
    tolerance: float
    shape: tuple[int, ...]
    out: tuple[int, ...]
    error: float = 0.0

    def same(self, one: Array, other: Array) -> bool:
        """Whether two arrays (k, …) agree at every point, relative to the size of the entries there."""
        if one.shape != other.shape or not (np.isfinite(one).all() and np.isfinite(other).all()):
            return False
        size = np.maximum(np.abs(one), np.abs(other)).reshape(len(one), -1).max(1)
        gap = np.abs(one - other).reshape(len(one), -1).max(1)
        return bool(np.all(gap <= self.tolerance * size))


def name(samples: Samples) -> Slip | None:
    """The first hypothesis that explains all points, or None."""
    with np.errstate(all="ignore"):
        return next((slip for slip in _hypotheses(samples) if slip is not None), None)


def _hypotheses(s: Samples) -> Iterator[Slip | None]:
    if not np.isfinite(s.claimed).all():
        yield Slip("non-finite", "the claimed gradient is not finite where f has a finite derivative")
        return
    if not s.claimed.any() and s.measured.any():
        yield Slip("missing-term", "the claimed gradient is zero, the true one is not")
        return
    yield _factor(s)
    yield _one_part(s)
    yield _transposed(s)
    yield _rearranged(s)
    yield _signs(s)
    yield _scaled_by_something(s)
    yield _entrywise_factor(s)
    yield _difference(s)


def _ratio(claimed: Array, measured: Array) -> float:
    """The least-squares factor c in claimed = c * measured."""
    return float((claimed * measured).sum() / (measured**2).sum())


def _factor(s: Samples) -> Slip | None:
    c = _ratio(s.claimed, s.measured)
    if not np.isfinite(c) or c == 0:
        return None
    if s.same(s.claimed, -s.measured):
        return Slip("sign", "the claimed gradient is -1 times the truth", "-gradient(x)")
    if abs(c - 1) < 1e-3:
        gap = np.abs(s.claimed - c * s.measured).max()
        if gap > 0.1 * abs(c - 1) * np.abs(s.measured).max():
            return None
        return Slip("rounding", f"the claimed gradient is the truth times 1 {c - 1:+.1e}", f"gradient(x) / {c!r}")
    if s.same(s.claimed, c * s.measured):
        text, inverse = number(c, s.x.shape[1], int(np.prod(s.out)))
        return Slip("factor", f"the claimed gradient is {text} times the truth", inverse)
    return None


def number(c: float, n: int = 0, m: int = 0) -> tuple[str, str]:
    """A factor in words, and the correction that undoes it; n and m are the numbers of entries and of outputs."""
    for count in {n, m} - {0, 1, 2, 3, 4}:
        if abs(c - count) < CLOSE * count:
            return f"{count} (the number of entries)", f"gradient(x) / {count}"
        if abs(c - 1 / count) < CLOSE / count:
            return f"1/{count} (one over the number of entries)", f"gradient(x) * {count}"
    fraction = Fraction(c).limit_denominator(24)
    if fraction and abs(c - fraction) < CLOSE * abs(c) and abs(fraction.numerator) <= 1000:
        undo = 1 / fraction
        return str(fraction), f"gradient(x) * {undo}" if undo.denominator == 1 else f"gradient(x) / {fraction}"
    constants = {"pi": np.pi, "2 pi": 2 * np.pi, "sqrt(2)": np.sqrt(2), "sqrt(pi)": np.sqrt(np.pi), "e": np.e}
    for text, value in constants.items():
        for power, over in ((value, ""), (1 / value, "1/")):
            if abs(abs(c) - power) < CLOSE * power:
                return ("-" if c < 0 else "") + over + text, f"gradient(x) / {c:.15g}"
    return f"{c:.6g}", f"gradient(x) / {c:.15g}"


def _one_part(s: Samples) -> Slip | None:
    """A few entries are wrong, the same ones at every point."""
    size = np.abs(s.measured).reshape(len(s.x), -1).max(1)[:, None, None]
    gap = np.abs(s.claimed - s.measured)
    wrong = np.any(gap > s.tolerance * np.maximum(np.abs(s.measured), 1e-6 * size), axis=0)
    count, total = int(wrong.sum()), wrong.size
    if count == 0 or total < 2 or count > max(1, total // 4):
        return None
    claimed, measured = s.claimed[:, wrong], s.measured[:, wrong]
    where = ", ".join(index(k, s.out, s.shape) for k in np.flatnonzero(wrong.ravel())[:3]) + (
        ", …" if count > 3 else ""
    )
    part = Samples(s.x, claimed, measured, s.tolerance, s.shape, s.out)
    what = "wrong"
    if not claimed.any():
        what = "zero"
    elif part.same(claimed, -measured):
        what = "-1 times the truth"
    elif not measured.any():
        what = "not zero, as it should be"
    else:
        c = _ratio(claimed, measured)
        if abs(c - 1) < 1e-3 and np.all(np.abs(claimed - c * measured) <= 0.1 * abs(c - 1) * np.abs(measured).max()):
            what = f"the truth times 1 {c - 1:+.1e}"
        elif part.same(claimed, c * measured):
            what = f"{number(c)[0]} times the truth"
    plural = "entries" if count > 1 else "entry"
    return Slip("entry", f"{plural} {where} of the gradient: {what}; the other {total - count} are right")


def index(k: int, out: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """The place of flat position k in an array of shape out + shape, as one would write it in Python."""
    full = (*out, *shape) if int(np.prod(out)) > 1 else shape
    return "[" + ", ".join(str(int(i)) for i in np.unravel_index(k, full)) + "]" if full else "[()]"


def _transposed(s: Samples) -> Slip | None:
    k, m, n = s.claimed.shape
    if m == n and m > 1 and s.same(s.claimed, s.measured.transpose(0, 2, 1)):
        return Slip("transpose", "the claimed Jacobian is the transpose of the truth", "gradient(x).T")
    if m == 1 and len(s.shape) == 2 and s.shape[0] == s.shape[1]:
        claimed, measured = s.claimed.reshape(k, *s.shape), s.measured.reshape(k, *s.shape)
        if s.same(claimed, measured.transpose(0, 2, 1)):
            return Slip("transpose", "the claimed gradient is the transpose of the truth", "gradient(x).T")
        if s.same(claimed + claimed.transpose(0, 2, 1), measured + measured.transpose(0, 2, 1)):
            says = "the claimed gradient and the truth differ by an antisymmetric matrix: a factor is transposed"
            return Slip("transpose", says)
    return None


def _rearranged(s: Samples) -> Slip | None:
    if s.claimed.shape[2] < 2 or not s.same(np.sort(s.claimed, axis=2), np.sort(s.measured, axis=2)):
        return None
    for shift in (1, -1, 2, -2):
        if s.same(s.claimed, np.roll(s.measured, shift, axis=2)):
            return Slip("index", f"entry i of the claim is the true entry i {-shift:+d}: an index is shifted")
    if s.same(s.claimed, s.measured[:, :, ::-1]):
        return Slip("permutation", "the entries of the gradient are in reverse order", "gradient(x)[::-1]")
    moved = np.flatnonzero(np.any(np.abs(s.claimed - s.measured) > s.tolerance * np.abs(s.measured).max(), axis=(0, 1)))
    if moved.size == 2:
        places = " and ".join(index(int(i), (), s.shape) for i in moved)
        return Slip("swap", f"entries {places} are exchanged")
    return Slip("permutation", "the claim has the true entries in another order")


def _signs(s: Samples) -> Slip | None:
    if s.same(s.claimed, np.abs(s.measured)):
        return Slip("sign", "the claimed gradient is the absolute value of the truth")
    if s.same(np.abs(s.claimed), np.abs(s.measured)):
        return Slip("sign", "the entries are right up to signs, which differ from entry to entry")
    return None


def _scaled_by_something(s: Samples) -> Slip | None:
    """Claim and truth are parallel at every point; the factor changes from point to point."""
    flat = s.claimed.reshape(len(s.x), -1), s.measured.reshape(len(s.x), -1)
    factors = (flat[0] * flat[1]).sum(1) / (flat[1] ** 2).sum(1)
    if len(s.x) < 2 or not np.isfinite(factors).all() or s.x.shape[1] < 2:
        return None
    if not s.same(s.claimed, factors[:, None, None] * s.measured):
        return None
    if np.allclose(np.linalg.norm(flat[0], axis=1), 1, rtol=CLOSE):
        return Slip("missing-factor", "the claimed gradient is the truth divided by its own norm")
    norm = np.linalg.norm(s.x, axis=1)
    features = {
        "the norm of x": norm,
        "the sum of x": s.x.sum(1),
        "the norm of the gradient": np.linalg.norm(flat[1], axis=1),
    }
    for text, values in features.items():
        for power, how in (
            (1, "multiplied by"),
            (2, "multiplied by the square of"),
            (-1, "divided by"),
            (-2, "divided by the square of"),
        ):
            scaled = factors / values**power
            if np.ptp(scaled) <= CLOSE * np.abs(scaled).max():
                c = float(scaled[0])
                extra = "" if abs(c - 1) < CLOSE else f", and by {number(c)[0]}"
                return Slip("missing-factor", f"the claimed gradient is the truth {how} {text}{extra}")
    return Slip(
        "missing-factor", "the claimed gradient has the right direction, but a length that is wrong by a varying factor"
    )


def _entrywise_factor(s: Samples) -> Slip | None:
    """Each entry is off by a function of its own coordinate."""
    x = np.broadcast_to(s.x[:, None, :], s.claimed.shape)
    for text, values in {
        "x": x,
        "1/x": 1 / x,
        "x^2": x**2,
        "1/x^2": 1 / x**2,
        "exp(x)": np.exp(x),
        "exp(-x)": np.exp(-x),
    }.items():
        if np.isfinite(values).all() and s.same(s.claimed, values * s.measured):
            return Slip(
                "missing-factor", f"entry i of the claim is the truth times {text.replace('x', 'x_i')}: a chain factor"
            )
    return None


def _difference(s: Samples) -> Slip | None:
    """The difference has a simple form: a constant, a multiple of x, twice a part."""
    gap = s.claimed - s.measured
    scale = np.abs(gap).max()
    noise = s.tolerance * max(np.abs(s.measured).max(), np.abs(s.claimed).max())
    if scale <= 10 * noise:
        return None
    loose = max(CLOSE, 10 * noise / scale)
    if len(s.x) > 1 and np.abs(gap - gap[0]).max() <= loose * scale:
        return Slip(
            "missing-term", "claim and truth differ by a constant: the derivative of a linear term is missing or added"
        )
    x = np.broadcast_to(s.x[:, None, :], gap.shape)
    c = _ratio(gap, x)
    if np.isfinite(c) and np.abs(gap - c * x).max() <= loose * scale:
        text = number(abs(c))[0]
        return Slip(
            "missing-term", f"the term {text} x is {'missing' if c < 0 else 'too much'}: the derivative of a square"
        )
    c = _ratio(gap, np.sign(x))
    if np.isfinite(c) and c != 0 and np.abs(gap - c * np.sign(x)).max() <= loose * scale:
        return Slip("missing-term", f"the term {number(abs(c))[0]} sign(x) is {'missing' if c < 0 else 'too much'}")
    return None


@dataclass(frozen=True)
class Region:
    """Where the claim is wrong, as a rough statement, and the share of the points there."""

    says: str
    share: float


def region(x: Array, wrong: NDArray[np.bool_], shape: tuple[int, ...]) -> Region | None:
    """The single threshold on a coordinate or a simple feature that separates wrong points from right ones best.

    x (k, n), wrong (k,).  None if all points are of one kind or no threshold separates them well.
    """
    share = float(wrong.mean())
    if share == 0 or share > 0.95:
        return None
    entries = np.arange(min(x.shape[1], 200))
    label = (lambda i: "x" + index(int(i), (), shape)) if shape else (lambda _: "x")
    features = {label(i): x[:, i] for i in entries}
    if x.shape[1] > 1:
        features |= {"sum(x)": x.sum(1), "norm(x)": np.linalg.norm(x, axis=1), "max(x)": x.max(1), "min(x)": x.min(1)}
        features |= {"max(|x|)": np.abs(x).max(1), "min(|x|)": np.abs(x).min(1)}
    best: tuple[float, str] = (0.0, "")
    for text, values in features.items():
        low, high = values[wrong].min(), values[wrong].max()
        inside = (values >= low) & (values <= high)
        purity = float(wrong[inside].mean()) * (1 - float((inside & ~wrong).mean()))
        lower, upper = values[~wrong & (values < low)], values[~wrong & (values > high)]
        if lower.size and upper.size:
            says = f"{_round(low)} <= {text} <= {_round(high)}"
        elif lower.size:
            says = f"{text} > {_round((low + lower.max()) / 2)}"
        elif upper.size:
            says = f"{text} < {_round((high + upper.min()) / 2)}"
        else:
            continue
        if purity > best[0] + 1e-9:
            best = purity, says
    return Region(best[1], share) if best[0] > 0.9 else Region("", share)


def _round(value: float) -> str:
    return f"{value:.3g}"
