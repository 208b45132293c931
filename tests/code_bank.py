"""Right and wrong gradients in code: the table on which `check_code` and its peers are judged.

A `Case` is a function, a claimed gradient or Jacobian, a domain, and the answer.  `hidden` marks the few whose noise hides
the answer, so that UNDECIDED is the only honest verdict.  Wrong gradients are natural slips written out beside the right
one, and mutants (`spoil`) of right ones: sign, factor, one entry, a region, a direction that a fixed probe cannot see.
Several are modelled on mistakes that people reported; their threads are named.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import scipy.linalg
import scipy.special
from scipy.integrate import odeint, quad, solve_ivp
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq

RNG = np.random.default_rng(20240229)


@dataclass(frozen=True)
class Case:
    name: str
    f: Callable[[Any], Any]
    gradient: Callable[[Any], Any]
    domain: Any
    right: bool
    slip: str = ""
    hidden: bool = False


CASES: list[Case] = []


def right(name, f, gradient, domain, hidden=False):
    CASES.append(Case(name, f, gradient, domain, True, "", hidden))


def wrong(name, f, gradient, domain, slip, hidden=False):
    CASES.append(Case(name, f, gradient, domain, False, slip, hidden))


def both(name, f, gradient, domain, **slips):
    """A right gradient and wrong ones by the name of the slip."""
    right(name, f, gradient, domain)
    for slip, g in slips.items():
        wrong(f"{name}: {slip}", f, g, domain, slip.split("__")[0])


def box(n, low=-1.0, high=1.0):
    return np.full(n, float(low)), np.full(n, float(high))


# ---------------------------------------------------------------------------------------------- smooth functions of vectors
A5 = RNG.standard_normal((5, 5))
b5 = RNG.standard_normal(5)
M45 = RNG.standard_normal((4, 5))
y4 = RNG.standard_normal(4)


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def logsumexp(x):
    return x.max() + np.log(np.exp(x - x.max()).sum())


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


both(
    "sum of sin squared",
    lambda x: np.sum(np.sin(x) ** 2),
    lambda x: 2 * np.sin(x) * np.cos(x),
    box(4, -2, 2),
    sign=lambda x: -2 * np.sin(x) * np.cos(x),
    factor=lambda x: np.sin(x) * np.cos(x),
    chain=lambda x: 2 * np.sin(x),
    rounding=lambda x: np.sin(2 * x) * (1 + 1e-9),
)
both(
    "quadratic form, A not symmetric",
    lambda x: x @ A5 @ x,
    lambda x: (A5 + A5.T) @ x,
    box(5),
    transpose=lambda x: 2 * A5 @ x,
    transpose__2=lambda x: 2 * A5.T @ x,
    missing_term=lambda x: A5 @ x,
)
both(
    "rosenbrock",
    lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2,
    lambda x: np.array([-2 * (1 - x[0]) - 400 * x[0] * (x[1] - x[0] ** 2), 200 * (x[1] - x[0] ** 2)]),
    box(2, -2, 2),
    missing_term=lambda x: np.array([-400 * x[0] * (x[1] - x[0] ** 2), 200 * (x[1] - x[0] ** 2)]),
    sign__one_term=lambda x: np.array([2 * (1 - x[0]) - 400 * x[0] * (x[1] - x[0] ** 2), 200 * (x[1] - x[0] ** 2)]),
    power=lambda x: np.array([-2 * (1 - x[0]) - 400 * x[0] ** 2 * (x[1] - x[0] ** 2), 200 * (x[1] - x[0] ** 2)]),
)
both(
    "least squares",
    lambda x: 0.5 * np.sum((M45 @ x - y4) ** 2),
    lambda x: M45.T @ (M45 @ x - y4),
    box(5),
    factor=lambda x: 2 * M45.T @ (M45 @ x - y4),
    factor__mean=lambda x: M45.T @ (M45 @ x - y4) / 4,
    sign=lambda x: M45.T @ (y4 - M45 @ x),
    missing_term=lambda x: M45.T @ (M45 @ x),
)
both(
    "ridge regression",
    lambda x: np.mean((M45 @ x - y4) ** 2) + 0.1 * np.sum(x**2),
    lambda x: 2 * M45.T @ (M45 @ x - y4) / 4 + 0.2 * x,
    box(5),
    missing_term=lambda x: 2 * M45.T @ (M45 @ x - y4) / 4,
    factor=lambda x: 2 * M45.T @ (M45 @ x - y4) + 0.2 * x,
    factor__of_the_penalty=lambda x: 2 * M45.T @ (M45 @ x - y4) / 4 + 0.1 * x,
)
labels = np.array([1, 0, 1, 1.0])


def bce(w):
    z = M45 @ w
    return np.sum(np.log1p(np.exp(-np.abs(z))) + np.maximum(z, 0) - labels * z)


both(
    "binary cross-entropy, stable form",
    bce,
    lambda w: M45.T @ (sigmoid(M45 @ w) - labels),
    box(5, -3, 3),
    sign=lambda w: M45.T @ (labels - sigmoid(M45 @ w)),
    chain=lambda w: M45.T @ ((sigmoid(M45 @ w) - labels) * sigmoid(M45 @ w) * (1 - sigmoid(M45 @ w))),
    factor=lambda w: M45.T @ (sigmoid(M45 @ w) - labels) / 4,
)
both(
    "softmax cross-entropy",
    lambda z: logsumexp(z) - z[2],
    lambda z: softmax(z) - np.eye(6)[2],
    box(6, -4, 4),
    missing_term=softmax,
    index=lambda z: softmax(z) - np.eye(6)[3],
    normaliser=lambda z: np.exp(z) / (1 + np.exp(z).sum()) - np.eye(6)[2],
)
both(
    "softmax cross-entropy, saturated logits",
    lambda z: logsumexp(z) - z[0],
    lambda z: softmax(z) - np.eye(5)[0],
    box(5, -60, 60),
    sign=lambda z: np.eye(5)[0] - softmax(z),
)
both(
    "log-sum-exp",
    logsumexp,
    softmax,
    box(7, -5, 5),
    entry=lambda z: softmax(z) * np.array([1, 1, 1, -1, 1, 1, 1]),
    rounding=lambda z: softmax(z) + 1e-9 * softmax(z) * np.arange(7),
)
right("log-sum-exp, naive", lambda z: np.log(np.sum(np.exp(z))), softmax, box(5, -20, 20))
both(
    "gaussian density",
    lambda x: np.exp(-0.5 * x @ x) / (2 * np.pi) ** 1.5,
    lambda x: -x * np.exp(-0.5 * x @ x) / (2 * np.pi) ** 1.5,
    box(3, -3, 3),
    sign=lambda x: x * np.exp(-0.5 * x @ x) / (2 * np.pi) ** 1.5,
    missing_factor=lambda x: -x * np.exp(-0.5 * x @ x),
    power=lambda x: -x * np.exp(-x @ x) / (2 * np.pi) ** 1.5,
)
both(
    "student-t log density",
    lambda x: -2.5 * np.log1p(x @ x / 4),
    lambda x: -2.5 * 2 * x / 4 / (1 + x @ x / 4),
    box(4, -3, 3),
    factor=lambda x: -2 * 2 * x / 4 / (1 + x @ x / 4),
    factor__nu=lambda x: -2.5 * 2 * x / (1 + x @ x / 4),
)
both(
    "euclidean norm",
    np.linalg.norm,
    lambda x: x / np.linalg.norm(x),
    box(4, 0.1, 2),
    missing_factor=lambda x: x,
    power=lambda x: x / np.linalg.norm(x) ** 2,
    factor=lambda x: 2 * x / np.linalg.norm(x),
)
wrong(
    "norm, right on the unit sphere only",
    lambda x: x @ x,
    lambda x: 2 * x * np.sqrt(x @ x),
    box(3),
    "missing_factor",
)
both(
    "cosine similarity",
    lambda x: x @ b5 / np.linalg.norm(x) / np.linalg.norm(b5),
    lambda x: (b5 / np.linalg.norm(x) - (x @ b5) * x / np.linalg.norm(x) ** 3) / np.linalg.norm(b5),
    box(5, 0.2, 2),
    missing_term=lambda x: b5 / np.linalg.norm(x) / np.linalg.norm(b5),
    power=lambda x: (b5 / np.linalg.norm(x) - (x @ b5) * x / np.linalg.norm(x) ** 2) / np.linalg.norm(b5),
)
both(
    "product of entries",
    np.prod,
    lambda x: np.prod(x) / x,
    box(6, 0.5, 1.5),
    index=lambda x: np.roll(np.prod(x) / x, 1),
    entry=lambda x: np.where(np.arange(6) == 5, 0.0, np.prod(x) / x),
    permutation=lambda x: (np.prod(x) / x)[[1, 0, 2, 3, 4, 5]],
)
both(
    "variance",
    np.var,
    lambda x: 2 * (x - x.mean()) / x.size,
    box(8, -2, 3),
    factor=lambda x: 2 * (x - x.mean()) / (x.size - 1),
    missing_term=lambda x: 2 * x / x.size,
)
both(
    "polynomial of degree ten",
    lambda x: np.polyval(np.arange(1.0, 12.0), x[0]) * x[1],
    lambda x: np.array(
        [np.polyval(np.polyder(np.arange(1.0, 12.0)), x[0]) * x[1], np.polyval(np.arange(1.0, 12.0), x[0])]
    ),
    box(2, -1.5, 1.5),
    swap=lambda x: np.array(
        [np.polyval(np.arange(1.0, 12.0), x[0]), np.polyval(np.polyder(np.arange(1.0, 12.0)), x[0]) * x[1]]
    ),
)
both(
    "high oscillation",
    lambda x: np.sum(np.sin(300 * x)),
    lambda x: 300 * np.cos(300 * x),
    box(3),
    chain=lambda x: np.cos(300 * x),
    rounding=lambda x: 300 * np.cos(300 * x) * (1 + 1e-7),
)
both(
    "wave on a slope",
    lambda x: 50 * x[0] + np.sin(200 * x[0]) * x[1],
    lambda x: np.array([50 + 200 * np.cos(200 * x[0]) * x[1], np.sin(200 * x[0])]),
    box(2, 0.1, 1),
    missing_term=lambda x: np.array([50 + 0 * x[0], np.sin(200 * x[0])]),
)
both(
    "steep exponential",
    lambda x: np.exp(40 * x[0]) + x[1] ** 2,
    lambda x: np.array([40 * np.exp(40 * x[0]), 2 * x[1]]),
    box(2),
    chain=lambda x: np.array([np.exp(40 * x[0]), 2 * x[1]]),
    entry=lambda x: np.array([40 * np.exp(40 * x[0]), -2 * x[1]]),
)
both(
    "steep tanh",
    lambda x: np.sum(np.tanh(25 * x)),
    lambda x: 25 / np.cosh(25 * x) ** 2,
    box(3),
    power=lambda x: 25 / np.cosh(25 * x),
    factor=lambda x: 1 / np.cosh(25 * x) ** 2,
)
both(
    "gamma function's logarithm",
    lambda x: np.sum(scipy.special.gammaln(x)),
    scipy.special.digamma,
    box(3, 0.2, 20),
    function=np.log,
    rounding=lambda x: scipy.special.digamma(x) + 1e-8,
)
right("bessel function", lambda x: np.sum(scipy.special.jv(2, x)), lambda x: scipy.special.jvp(2, x), box(2, 0.5, 30))
right(
    "error function",
    lambda x: np.sum(scipy.special.erf(x)),
    lambda x: 2 / np.sqrt(np.pi) * np.exp(-(x**2)),
    box(3, -4, 4),
)
right(
    "normal distribution function's logarithm",
    lambda x: np.sum(scipy.special.log_ndtr(x)),
    lambda x: np.exp(-(x**2) / 2 - scipy.special.log_ndtr(x)) / np.sqrt(2 * np.pi),
    box(2, -8, 4),
)
right(
    "beta function",
    lambda x: scipy.special.betaln(*x),
    lambda x: scipy.special.digamma(x) - scipy.special.digamma(x.sum()),
    box(2, 0.3, 9),
)
right(
    "elliptic integral",
    lambda m: np.sum(scipy.special.ellipk(m)),
    lambda m: (scipy.special.ellipe(m) - (1 - m) * scipy.special.ellipk(m)) / (2 * m * (1 - m)),
    box(2, 0.05, 0.95),
)
right("exponential integral", lambda x: np.sum(scipy.special.expi(x)), lambda x: np.exp(x) / x, box(2, 0.2, 6))
right(
    "incomplete gamma",
    lambda x: np.sum(scipy.special.gammainc(2.5, x)),
    lambda x: x**1.5 * np.exp(-x) / scipy.special.gamma(2.5),
    box(2, 0.1, 12),
)
right(
    "lambert w",
    lambda x: np.sum(scipy.special.lambertw(x).real),
    lambda x: 1 / (x + np.exp(scipy.special.lambertw(x).real)),
    box(2, 0.1, 5),
)
right(
    "zeta",
    lambda x: scipy.special.zeta(x[0], x[1]),
    lambda x: np.array([_zeta_s(*x), -x[0] * scipy.special.zeta(x[0] + 1, x[1])]),
    box(2, 2, 6),
)


def _zeta_s(s, a):
    """d/ds of the Hurwitz zeta function by Euler-Maclaurin."""
    k = np.arange(30.0)
    n = 30.0 + a
    total = -np.sum(np.log(k + a) * (k + a) ** -s)
    log = np.log(n)
    tail = n ** (1 - s) / (s - 1)
    total += -log * tail - n ** (1 - s) / (s - 1) ** 2 - 0.5 * log * n**-s
    coefficient, power = 1.0, n ** (-s - 1)
    rising, derivative = s, 1.0
    for j, b in enumerate((1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730)):
        coefficient = b / math.factorial(2 * j + 2)
        total += coefficient * (derivative - rising * log) * power
        for shift in (2 * j + 1, 2 * j + 2):
            derivative = derivative * (s + shift) + rising
            rising *= s + shift
        power /= n**2
    return total


# ------------------------------------------------------------------------------------------------------ kinks and pieces
both(
    "relu",
    lambda x: np.sum(np.maximum(x, 0) * np.arange(1, 6)),
    lambda x: (x > 0) * np.arange(1.0, 6.0),
    box(5),
    branch=lambda x: np.arange(1.0, 6.0) + 0 * x,
    sign=lambda x: -1.0 * (x > 0) * np.arange(1.0, 6.0),
    branch__other_side=lambda x: (x < 0) * np.arange(1.0, 6.0),
)
right(
    "relu at zero, subgradient 0", lambda x: np.sum(np.maximum(x, 0)), lambda x: (x > 0) * 1.0, lambda rng: np.zeros(4)
)
right(
    "relu at zero, subgradient 1", lambda x: np.sum(np.maximum(x, 0)), lambda x: (x >= 0) * 1.0, lambda rng: np.zeros(4)
)
right(
    "relu at integers, half of them zero",
    lambda x: np.sum(np.maximum(x, 0)),
    lambda x: (x > 0) * 1.0,
    lambda rng: rng.integers(-1, 2, 6).astype(float),
)
both(
    "absolute values",
    lambda x: np.sum(np.abs(x)),
    np.sign,
    box(5),
    branch=lambda x: np.ones(5),
    sign=lambda x: -np.sign(x),
    complex_step=lambda x: np.zeros(5),
)
right("absolute values at zero", lambda x: np.sum(np.abs(x)), np.sign, lambda rng: np.zeros(3))
right("maximum with ties", np.max, lambda x: np.eye(4)[np.argmax(x)], lambda rng: rng.integers(0, 2, 4).astype(float))
both(
    "maximum",
    np.max,
    lambda x: np.eye(6)[np.argmax(x)],
    box(6),
    branch=lambda x: np.eye(6)[np.argmin(x)],
    index=lambda x: np.eye(6)[(np.argmax(x) + 1) % 6],
    factor=softmax,
)
both(
    "huber",
    lambda x: np.sum(np.where(np.abs(x) < 1, 0.5 * x**2, np.abs(x) - 0.5)),
    lambda x: np.clip(x, -1, 1),
    box(5, -3, 3),
    branch=lambda x: x,
    branch__sign=lambda x: np.where(np.abs(x) < 1, x, 1.0),
    branch__sides=lambda x: np.where(np.abs(x) > 1, x, np.sign(x)),
    rounding=lambda x: np.clip(x, -1, 1) * (1 + 1e-6),
)
both(
    "leaky relu network",
    lambda x: np.sum(np.where(M45 @ x > 0, M45 @ x, 0.1 * (M45 @ x))),
    lambda x: M45.T @ np.where(M45 @ x > 0, 1.0, 0.1),
    box(5),
    branch=lambda x: M45.T @ np.where(M45 @ x > 0, 1.0, 0.0),
    transpose=lambda x: M45.sum(0) * np.where(x > 0, 1.0, 0.1),
)
both(
    "elastic net",
    lambda x: 0.5 * x @ x + 0.05 * np.sum(np.abs(x)),
    lambda x: x + 0.05 * np.sign(x),
    box(4),
    missing_term=lambda x: x,
    sign=lambda x: x - 0.05 * np.sign(x),
    power=lambda x: x + 0.05 * np.abs(x),
)
both(
    "hinge loss",
    lambda w: np.sum(np.maximum(0, 1 - (2 * labels - 1) * (M45 @ w))),
    lambda w: -M45.T @ ((2 * labels - 1) * ((2 * labels - 1) * (M45 @ w) < 1)),
    box(5),
    sign=lambda w: M45.T @ ((2 * labels - 1) * ((2 * labels - 1) * (M45 @ w) < 1)),
    branch=lambda w: -M45.T @ (2 * labels - 1),
)
both(
    "quantile loss",
    lambda x: np.sum(np.maximum(0.9 * x, -0.1 * x)),
    lambda x: np.where(x > 0, 0.9, -0.1),
    box(4),
    branch=lambda x: np.where(x > 0, 0.9, 0.1),
    swap=lambda x: np.where(x > 0, 0.1, -0.9),
)
right("clip", lambda x: np.sum(np.clip(x, -0.5, 0.5) ** 2), lambda x: np.where(np.abs(x) < 0.5, 2 * x, 0.0), box(6))
right(
    "sorted weights", lambda x: np.sort(x) @ np.arange(6.0), lambda x: np.argsort(np.argsort(x)).astype(float), box(6)
)
right("median", np.median, lambda x: np.eye(5)[np.argsort(x)[2]], box(5))
right(
    "total variation",
    lambda x: np.sum(np.abs(np.diff(x))),
    lambda x: np.concatenate([[0], np.sign(np.diff(x))]) - np.concatenate([np.sign(np.diff(x)), [0]]),
    box(8),
)
right(
    "infinity norm", lambda x: np.linalg.norm(x, np.inf), lambda x: np.eye(5)[np.argmax(np.abs(x))] * np.sign(x), box(5)
)
right("norm at zero", np.linalg.norm, lambda x: x / max(np.linalg.norm(x), 1e-300), lambda rng: np.zeros(3))
right("floor, derivative 0 almost everywhere", lambda x: np.sum(np.floor(5 * x)), lambda x: np.zeros(3), box(3))
right("integer pieces beside a square", lambda x: np.sum(np.floor(3 * x) + x**2), lambda x: 2 * x, box(3))
right("rounding", lambda x: np.round(x, 1).sum() + x.sum(), lambda x: np.ones(4), box(4))
right("sawtooth", lambda x: np.sum(x % 0.25), lambda x: np.ones(2), box(2))
wrong("floor, slope of the trend", lambda x: np.sum(np.floor(5 * x)), lambda x: np.full(3, 5.0), box(3), "other")
wrong("integer pieces, trend added", lambda x: np.sum(np.floor(3 * x) + x**2), lambda x: 2 * x + 3, box(3), "other")
KNOTS = np.linspace(-1.2, 1.2, 13)
SPLINE = CubicSpline(KNOTS, np.sin(4 * KNOTS) + 0.2 * KNOTS**2)
both(
    "cubic spline",
    lambda x: float(np.sum(SPLINE(x))),
    lambda x: SPLINE(x, 1),
    box(2),
    power=lambda x: SPLINE(x, 2),
    rounding=lambda x: SPLINE(x, 1) * (1 + 1e-5),
)
TABLE = np.sin(3 * KNOTS)
both(
    "linear interpolation",
    lambda x: float(np.sum(np.interp(x, KNOTS, TABLE))),
    lambda x: (np.diff(TABLE) / np.diff(KNOTS))[np.clip(np.searchsorted(KNOTS, x) - 1, 0, 11)],
    box(3),
    function=lambda x: 3 * np.cos(3 * x),
)


def pooled(x):
    return np.maximum.reduce(x.reshape(3, 2), axis=1) @ np.array([1.0, 2.0, 3.0])


right(
    "max-pool",
    pooled,
    lambda x: ((x.reshape(3, 2) == x.reshape(3, 2).max(1, keepdims=True)) * np.array([[1.0], [2.0], [3.0]])).ravel(),
    box(6),
)

# ------------------------------------------------------------------------------------------------- scales of values and arguments
for k in (-12, -8, 8, 12):
    right(
        f"values of size 1e{k}", lambda x, s=10.0**k: s * np.sum(np.sin(x)), lambda x, s=10.0**k: s * np.cos(x), box(3)
    )
    wrong(
        f"values of size 1e{k}: sign",
        lambda x, s=10.0**k: s * np.sum(np.sin(x)),
        lambda x, s=10.0**k: -s * np.cos(x),
        box(3),
        "sign",
    )
    right(
        f"arguments of size 1e{k}",
        lambda x, s=10.0**-k: np.sum(np.sin(s * x)),
        lambda x, s=10.0**-k: s * np.cos(s * x),
        box(3, -(10.0**k), 10.0**k),
    )
    wrong(
        f"arguments of size 1e{k}: chain",
        lambda x, s=10.0**-k: np.sum(np.sin(s * x)),
        lambda x, s=10.0**-k: np.cos(s * x),
        box(3, -(10.0**k), 10.0**k),
        "chain",
    )
    wrong(
        f"values of size 1e{k}: 1e-6",
        lambda x, s=10.0**k: s * np.sum(np.sin(x)),
        lambda x, s=10.0**k: s * np.cos(x) * (1 + 1e-6),
        box(3),
        "rounding",
    )
WEIGHTS = 10.0 ** np.array([8, -8, 0, 4, -4])
both(
    "weights from 1e-8 to 1e8",
    lambda x: np.sum(WEIGHTS * x**2),
    lambda x: 2 * WEIGHTS * x,
    box(5),
    entry=lambda x: 2 * WEIGHTS * x * np.array([1, -1, 1, 1, 1]),
    entry__4=lambda x: 2 * WEIGHTS * x * np.array([1, 1, 1, 1, 1.001]),
    entry__largest=lambda x: 2 * WEIGHTS * x * np.array([1 + 1e-8, 1, 1, 1, 1]),
)
both(
    "coordinates of very different size",
    lambda x: np.sum(np.cos(x / WEIGHTS)),
    lambda x: -np.sin(x / WEIGHTS) / WEIGHTS,
    (-WEIGHTS, WEIGHTS),
    entry=lambda x: -np.sin(x / WEIGHTS) / WEIGHTS * np.array([-1, 1, 1, 1, 1]),
    sign=lambda x: np.sin(x / WEIGHTS) / WEIGHTS,
)
right("a large constant", lambda x: 1e8 + np.sum(np.sin(x)), np.cos, box(3))
wrong("a large constant: 1e-4", lambda x: 1e8 + np.sum(np.sin(x)), lambda x: np.cos(x) * (1 + 1e-4), box(3), "rounding")
right(
    "a positive argument over twelve decades",
    lambda x: np.sum(np.log(x) ** 2),
    lambda x: 2 * np.log(x) / x,
    box(2, 1e-6, 1e6),
)
wrong(
    "twelve decades, wrong at small ones",
    lambda x: np.sum(np.log(x) ** 2),
    lambda x: 2 * np.log(x) / np.maximum(x, 1e-2),
    box(2, 1e-6, 1e6),
    "region",
)
right(
    "planck's constant",
    lambda nu: 6.62607015e-34 * nu[0] * nu[1],
    lambda nu: 6.62607015e-34 * nu[::-1],
    box(2, 1e14, 1e15),
)
right(
    "avogadro's number", lambda x: 6.02214076e23 * np.sum(x**3), lambda x: 3 * 6.02214076e23 * x**2, box(2, 1e-4, 1e-3)
)
right("a far offset", lambda x: np.sum((x - 1e6) ** 2), lambda x: 2 * (x - 1e6), box(3, 1e6 - 1, 1e6 + 1))

# ---------------------------------------------------------------------------------------------------- stencils that leave the domain


def raising_log(x):
    if np.any(x <= 0):
        raise ValueError("log of a number that is not positive")
    return float(np.sum(np.log(x)))


both(
    "logarithm that raises outside",
    raising_log,
    lambda x: 1 / x,
    box(4, 0, 1),
    sign=lambda x: -1 / x,
    power=lambda x: 1 / x**2,
)
right("logarithm, NaN outside", lambda x: np.sum(np.log(x)), lambda x: 1 / x, box(3, 0, 2))
right("logarithm near zero", lambda x: np.sum(np.log(x)), lambda x: 1 / x, box(3, 1e-9, 1e-7))
right("logarithm, NaN on half of the box", lambda x: np.sum(np.log(x)), lambda x: 1 / x, box(2, -1, 1))
right("square root at zero", lambda x: np.sum(np.sqrt(x)), lambda x: 0.5 / np.sqrt(x), box(3, 0, 1))
right("entropy", lambda p: -np.sum(p * np.log(p)), lambda p: -np.log(p) - 1, box(4, 0, 1))
wrong(
    "entropy: lost product rule", lambda p: -np.sum(p * np.log(p)), lambda p: -np.log(p), box(4, 0, 1), "missing_term"
)
right(
    "entropy on the simplex",
    lambda p: -np.sum(p * np.log(p)),
    lambda p: -np.log(p) - 1,
    lambda rng: rng.dirichlet(np.ones(5)),
)


def strict_entropy(p):
    if abs(p.sum() - 1) > 1e-9 or np.any(p < 0):
        raise ValueError("not a distribution")
    return -np.sum(p * np.log(p))


right(
    "entropy that raises off the simplex",
    strict_entropy,
    lambda p: -np.log(p) - 1,
    lambda rng: rng.dirichlet(np.ones(5)),
)
wrong(
    "entropy that raises off the simplex: sign",
    strict_entropy,
    lambda p: np.log(p) + 1,
    lambda rng: rng.dirichlet(np.ones(5)),
    "sign",
)
both(
    "arcsine up to the ends",
    lambda x: np.sum(np.arcsin(x)),
    lambda x: 1 / np.sqrt(1 - x**2),
    box(3),
    power=lambda x: 1 / (1 - x**2),
    sign=lambda x: -1 / np.sqrt(1 - x**2),
)
right("arcosh", lambda x: np.sum(np.arccosh(x)), lambda x: 1 / np.sqrt(x**2 - 1), box(2, 1, 5))
right("logit", lambda x: np.sum(np.log(x / (1 - x))), lambda x: 1 / (x * (1 - x)), box(3, 0, 1))
right("half circle", lambda x: np.sqrt(1 - x**2), lambda x: -x / np.sqrt(1 - x**2), (-1.0, 1.0))
right("power with a real exponent", lambda x: np.sum(x**2.7), lambda x: 2.7 * x**1.7, box(3, 0, 3))
right("reciprocal on both sides of its pole", lambda x: 1 / x[0], lambda x: -1 / x**2, box(1))
right("tangent through poles", lambda x: np.sum(np.tan(x)), lambda x: 1 / np.cos(x) ** 2, box(2, -4, 4))
right("overflow on a part", lambda x: np.sum(np.exp(x)), np.exp, box(2, 0, 1000))
right(
    "x log x with the limit at 0",
    lambda x: np.sum(np.where(x > 0, x * np.log(np.maximum(x, 1e-300)), 0)),
    lambda x: np.log(x) + 1,
    box(3, 0, 1),
)
right("unbounded box", lambda x: np.sum(np.exp(-(x**2))), lambda x: -2 * x * np.exp(-(x**2)), box(2, -np.inf, np.inf))
right("half line", lambda x: np.sum(np.log1p(x)), lambda x: 1 / (1 + x), box(2, 0, np.inf))
right("gamma sampler", lambda x: np.sum(np.log(x)), lambda x: 1 / x, lambda rng: rng.gamma(0.5, size=3))

# ------------------------------------------------------------------------------------------------------------- cancellation
right("versine by subtraction", lambda x: np.sum(1 - np.cos(x)), np.sin, box(2, 1e-4, 1e-2))
right("expm1 written naively", lambda x: np.sum(np.exp(x) - 1), np.exp, box(3, -1e-6, 1e-6))
right(
    "gradient written with cancellation",
    lambda x: np.sum(np.cosh(x)),
    lambda x: (np.exp(x) - np.exp(-x)) / 2,
    box(3, -1e-5, 1e-5),
)
right(
    "variance as a difference of moments",
    lambda x: np.mean(x**2) - np.mean(x) ** 2,
    lambda x: 2 * (x - x.mean()) / x.size,
    box(5, 1000, 1001),
)
right(
    "gradient cancels, function does not",
    lambda x: np.sum(np.log1p(x**2) / 2),
    lambda x: (1 - 1 / (1 + x**2)) / x,
    box(2, 1e-4, 1e-2),
)
right("difference of large numbers", lambda x: (1e8 + np.sum(np.sin(x))) - 1e8, np.cos, box(3))
right(
    "quotient of differences",
    lambda x: np.sum((np.exp(x) - 1) / x),
    lambda x: np.exp(x) / x - (np.exp(x) - 1) / x**2,
    box(2, 1e-3, 1),
)
right(
    "nearly parallel vectors",
    lambda x: 1 - x @ (x + 1e-5) / np.linalg.norm(x) / np.linalg.norm(x + 1e-5),
    lambda x: _angle_gradient(x, x + 1e-5),
    box(3, 0.5, 1),
)
wrong("versine by subtraction: sign", lambda x: np.sum(1 - np.cos(x)), lambda x: -np.sin(x), box(2, 1e-4, 1e-2), "sign")


def _angle_gradient(x, y):
    n, m, c = np.linalg.norm(x), np.linalg.norm(y), x @ y
    return -(x + y) / (n * m) + c * x / (n**3 * m) + c * y / (n * m**3)


# ------------------------------------------------------------------------------------------- solvers, quadratures, iterations


def decay(p, method="RK45", rtol=1e-10, atol=1e-12):
    return solve_ivp(lambda t, y: -p * y, (0, 2), [1.0], method=method, rtol=rtol, atol=atol).y[0, -1]


both(
    "exponential decay by RK45 at 1e-10",
    decay,
    lambda p: -2 * np.exp(-2 * p),
    (0.5, 2.0),
    sign=lambda p: 2 * np.exp(-2 * p),
    factor=lambda p: -np.exp(-2 * p),
    rounding=lambda p: -2.002 * np.exp(-2 * p),
)
right(
    "exponential decay by RK45 at 1e-6",
    lambda p: decay(p, rtol=1e-6, atol=1e-9),
    lambda p: -2 * np.exp(-2 * p),
    (0.5, 2.0),
)
right(
    "exponential decay by DOP853 at 1e-11",
    lambda p: decay(p, "DOP853", 1e-11, 1e-13),
    lambda p: -2 * np.exp(-2 * p),
    (0.5, 2.0),
)
right("exponential decay by LSODA at 1e-10", lambda p: decay(p, "LSODA"), lambda p: -2 * np.exp(-2 * p), (0.5, 2.0))


def pendulum(p):
    """Final angle of a pendulum, state by odeint."""
    return odeint(lambda y, t: [y[1], -p[0] * math.sin(y[0])], [p[1], 0.0], [0.0, 2.0], rtol=1e-11, atol=1e-11)[-1, 0]


def pendulum_gradient(p):
    def rhs(y, _t):
        s, c = math.sin(y[0]), math.cos(y[0])
        return [y[1], -p[0] * s, y[3], -p[0] * c * y[2] - s, y[5], -p[0] * c * y[4]]

    return odeint(rhs, [p[1], 0, 0, 0, 1, 0], [0.0, 2.0], rtol=1e-11, atol=1e-11)[-1, [2, 4]]


both(
    "pendulum by odeint with its sensitivities",
    pendulum,
    pendulum_gradient,
    (np.array([1.0, 0.2]), np.array([4.0, 1.5])),
    entry=lambda p: pendulum_gradient(p) * np.array([1, -1]),
    swap=lambda p: pendulum_gradient(p)[::-1],
)


def riccati_rk4(p, steps=60):
    """u' = p0 - u^2, u(0) = p1 by fixed steps, and its exact discrete sensitivities."""
    h, u = 1.0 / steps, p[1]
    s = np.array([0.0, 1.0])
    for _ in range(steps):
        k, d = [], []
        for c, prev in ((0.0, None), (0.5, 0), (0.5, 1), (1.0, 2)):
            v = u if prev is None else u + c * h * k[prev]
            w = s if prev is None else s + c * h * d[prev]
            k.append(p[0] - v * v)
            d.append(np.array([1.0, 0.0]) - 2 * v * w)
        u = u + h / 6 * (k[0] + 2 * k[1] + 2 * k[2] + k[3])
        s = s + h / 6 * (d[0] + 2 * d[1] + 2 * d[2] + d[3])
    return u, s


both(
    "riccati equation by fixed steps",
    lambda p: riccati_rk4(p)[0],
    lambda p: riccati_rk4(p)[1],
    (np.array([0.5, 0.1]), np.array([2.0, 1.0])),
    boundary=lambda p: riccati_rk4(p)[1] * np.array([1.0, 0.0]),
    swap=lambda p: riccati_rk4(p)[1][::-1],
)


def kepler(p):
    """Eccentric anomaly by a fixed-point iteration stopped at 1e-10."""
    e = p[0]
    for _ in range(500):
        new = p[0] + p[1] * np.sin(e)
        if abs(new - e) < 1e-10:
            return new
        e = new
    return e


def kepler_gradient(p):
    e = brentq(lambda e: e - p[1] * np.sin(e) - p[0], -10, 10, xtol=1e-15)
    return np.array([1.0, np.sin(e)]) / (1 - p[1] * np.cos(e))


both(
    "fixed point stopped at 1e-10",
    kepler,
    kepler_gradient,
    (np.array([0.2, 0.1]), np.array([2.5, 0.7])),
    missing_factor=lambda p: kepler_gradient(p) * (1 - p[1] * np.cos(kepler(p))),
    sign__in_the_denominator=lambda p: np.array([1.0, np.sin(kepler(p))]) / (1 + p[1] * np.cos(kepler(p))),
)
right(
    "root by bisection to 1e-10",
    lambda p: brentq(lambda u: u**3 + u - p, -5, 5, xtol=1e-10),
    lambda p: 1 / (3 * brentq(lambda u: u**3 + u - p, -5, 5, xtol=1e-15) ** 2 + 1),
    (0.5, 5.0),
)
right(
    "adaptive quadrature",
    lambda a: quad(lambda t: np.exp(-a * t * t) * np.cos(t), 0, 3)[0],
    lambda a: quad(lambda t: -t * t * np.exp(-a * t * t) * np.cos(t), 0, 3)[0],
    (0.2, 3.0),
)
right(
    "largest eigenvalue by power iteration",
    lambda x: _power(np.diag([5.0, 2, 1]) + np.outer(x, x))[0],
    lambda x: (
        2 * (_power(np.diag([5.0, 2, 1]) + np.outer(x, x))[1] @ x) * _power(np.diag([5.0, 2, 1]) + np.outer(x, x))[1]
    ),
    box(3),
)


def _power(matrix):
    v = np.array([1.0, 0.1, 0.1])
    last = 0.0
    for _ in range(2000):
        w = matrix @ v
        v = w / np.linalg.norm(w)
        now = v @ matrix @ v
        if abs(now - last) < 1e-13:
            break
        last = now
    return now, v


# ------------------------------------------------------------------------------------------ code that a complex step breaks
right("vdot", lambda x: np.vdot(x, x), lambda x: 2 * x, box(4))
wrong("vdot: what a complex step returns", lambda x: np.vdot(x, x), lambda x: 0 * x, box(4), "other")
right("conjugate", lambda x: (x * np.conj(x)).sum().real, lambda x: 2 * x, box(4))
right("real part", lambda x: np.real(np.sum(x**3)), lambda x: 3 * x**2, box(4))
right("math functions", lambda x: sum(math.sin(t) * t for t in x), lambda x: np.sin(x) + x * np.cos(x), box(3))
right("cast to float", lambda x: float(np.sum(np.asarray(x, dtype=float) ** 3)), lambda x: 3 * x**2, box(3))
right(
    "hypot and arctan2",
    lambda x: np.hypot(*x) + np.arctan2(*x),
    lambda x: x / np.hypot(*x) + np.array([x[1], -x[0]]) / (x @ x),
    box(2, 0.2, 1),
)
right("cube root on both sides", lambda x: np.sum(np.cbrt(x)), lambda x: 1 / (3 * np.cbrt(x) ** 2), box(3))
wrong(
    "cube root, NaN for negative arguments (Enzyme-JAX 2571)",
    lambda x: np.sum(np.cbrt(x)),
    lambda x: x ** (-2 / 3) / 3,
    box(3),
    "non-finite",
)


def fills_an_array(x):
    out = np.zeros(4)
    for i in range(4):
        out[i] = x[i] ** 2 * (i + 1)
    return out.sum()


both(
    "fills a real array",
    fills_an_array,
    lambda x: 2 * x * np.arange(1, 5),
    box(4),
    index=lambda x: 2 * x * np.arange(4),
    other=lambda x: 0 * x,
)
right(
    "comparison chooses the branch",
    lambda x: x[0] ** 2 if x[0] > x[1] else x[1] ** 3,
    lambda x: np.array([2 * x[0], 0]) if x[0] > x[1] else np.array([0, 3 * x[1] ** 2]),
    box(2),
)
right(
    "partly lost imaginary part",
    lambda x: np.sin(x[0]) + np.abs(x[1]) ** 3,
    lambda x: np.array([np.cos(x[0]), 3 * x[1] * np.abs(x[1])]),
    box(2),
)
wrong(
    "partly lost imaginary part: as lost",
    lambda x: np.sin(x[0]) + np.abs(x[1]) ** 3,
    lambda x: np.array([np.cos(x[0]), 0]),
    box(2),
    "entry",
)

# ---------------------------------------------------------------------------------------------------------- single precision
right("computed in single precision", lambda x: np.sum(np.sin(x.astype(np.float32))), np.cos, box(4))
right("argument rounded to single", lambda x: float(np.sum(np.sin(x.astype(np.float32).astype(float)))), np.cos, box(4))
right("gradient in single precision", lambda x: np.sum(np.sin(x)), lambda x: np.cos(x).astype(np.float32), box(4))
right(
    "gradient rounded to single inside",
    lambda x: np.sum(np.sin(x)),
    lambda x: np.cos(x.astype(np.float32)).astype(float),
    box(4),
)
right(
    "both in single precision",
    lambda x: np.sum(np.exp(x.astype(np.float32))),
    lambda x: np.exp(x.astype(np.float32)),
    box(4),
)
right("half precision", lambda x: float(np.sum(np.sin(x).astype(np.float16))), np.cos, box(2), hidden=True)
wrong("single precision: sign", lambda x: np.sum(np.sin(x.astype(np.float32))), lambda x: -np.cos(x), box(4), "sign")
wrong(
    "single precision: one per cent",
    lambda x: np.sum(np.sin(x.astype(np.float32))),
    lambda x: 1.01 * np.cos(x),
    box(4),
    "factor",
)

# --------------------------------------------------------------------------------------------- shapes, scalars, Jacobians, long vectors
both(
    "plain number",
    lambda x: np.sin(x) * x,
    lambda x: np.sin(x) + x * np.cos(x),
    (0.5, 3.0),
    sign=lambda x: np.sin(x) - x * np.cos(x),
    missing_term=lambda x: x * np.cos(x),
)
right("plain number through math", lambda x: math.exp(-x), lambda x: -math.exp(-x), (0.0, 2.0))
right("zero-dimensional array", lambda x: np.tanh(x), lambda x: 1 - np.tanh(x) ** 2, (np.array(-2.0), np.array(2.0)))
right("one entry, answer of shape (1,)", lambda x: x**2, lambda x: 2 * x, box(1))
right("answer of shape (1,), three entries", lambda x: np.array([np.sum(x**2)]), lambda x: 2 * x, box(3))
right("gradient as a list", lambda x: x[0] * x[1], lambda x: [x[1], x[0]], box(2))
right("gradient of integers", lambda x: 2 * x[0] - 3 * x[1], lambda x: np.array([2, -3]), box(2))
right("matrix argument", lambda X: np.trace(X @ X.T), lambda X: 2 * X, box((3, 4)))
right("tensor argument", lambda X: np.sum(X**3), lambda X: 3 * X**2, box((2, 3, 2)))
B34, C43 = RNG.standard_normal((3, 4)), RNG.standard_normal((4, 3))
both(
    "trace of AXBX'",
    lambda X: np.trace(A5[:3, :3] @ X @ A5[:4, :4] @ X.T),
    lambda X: A5[:3, :3].T @ X @ A5[:4, :4].T + A5[:3, :3] @ X @ A5[:4, :4],
    box((3, 4)),
    transpose=lambda X: 2 * A5[:3, :3] @ X @ A5[:4, :4],
    missing_term=lambda X: A5[:3, :3] @ X @ A5[:4, :4],
)
both(
    "log det",
    lambda X: np.linalg.slogdet(X)[1],
    lambda X: np.linalg.inv(X).T,
    lambda rng: rng.standard_normal((3, 3)) + 3 * np.eye(3),
    transpose=np.linalg.inv,
    sign=lambda X: -np.linalg.inv(X).T,
)
both(
    "inverse in a quadratic form",
    lambda X: b5[:3] @ np.linalg.solve(X, b5[:3]),
    lambda X: -np.outer(np.linalg.solve(X.T, b5[:3]), np.linalg.solve(X, b5[:3])),
    lambda rng: rng.standard_normal((3, 3)) + 3 * np.eye(3),
    transpose=lambda X: -np.outer(np.linalg.solve(X, b5[:3]), np.linalg.solve(X.T, b5[:3])),
    sign=lambda X: np.outer(np.linalg.solve(X.T, b5[:3]), np.linalg.solve(X, b5[:3])),
)
both(
    "matrix exponential",
    lambda X: np.trace(A5[:3, :3] @ scipy.linalg.expm(X)),
    lambda X: scipy.linalg.expm_frechet(X.T, A5[:3, :3].T, compute_expm=False),
    box((3, 3)),
    commute=lambda X: (A5[:3, :3] @ scipy.linalg.expm(X)).T,
    transpose=lambda X: scipy.linalg.expm_frechet(X, A5[:3, :3], compute_expm=False),
)
both(
    "jacobian of tanh(Ax + b)",
    lambda x: np.tanh(M45 @ x + y4),
    lambda x: (1 - np.tanh(M45 @ x + y4) ** 2)[:, None] * M45,
    box(5),
    layout=lambda x: ((1 - np.tanh(M45 @ x + y4) ** 2)[:, None] * M45).T,
    chain=lambda x: M45 + 0 * x,
    missing_factor=lambda x: (1 - np.tanh(M45 @ x) ** 2)[:, None] * M45,
    rounding=lambda x: (1 - np.tanh(M45 @ x + y4) ** 2)[:, None] * M45 * (1 + 1e-9),
)
both(
    "jacobian of softmax",
    softmax,
    lambda z: np.diag(softmax(z)) - np.outer(softmax(z), softmax(z)),
    box(4, -3, 3),
    missing_term=lambda z: np.diag(softmax(z)),
    sign=lambda z: np.diag(softmax(z)) + np.outer(softmax(z), softmax(z)),
    entry=lambda z: np.diag(softmax(z) * (1 - softmax(z))),
)
both(
    "square jacobian, not symmetric",
    lambda x: np.array([x[0] * x[1], np.sin(x[2]), x[0] ** 2 + x[2]]),
    lambda x: np.array([[x[1], x[0], 0], [0, 0, np.cos(x[2])], [2 * x[0], 0, 1]]),
    box(3),
    transpose=lambda x: np.array([[x[1], x[0], 0], [0, 0, np.cos(x[2])], [2 * x[0], 0, 1]]).T,
    entry=lambda x: np.array([[x[1], x[0], 0], [0, 0, np.cos(x[2])], [2 * x[0], 0, 1.000001]]),
    swap=lambda x: np.array([[x[0], x[1], 0], [0, 0, np.cos(x[2])], [2 * x[0], 0, 1]]),
)
right(
    "jacobian of a plain number",
    lambda t: np.array([np.cos(t), np.sin(t)]),
    lambda t: np.array([-np.sin(t), np.cos(t)]),
    (0.0, 6.0),
)
right(
    "matrix-valued, Jacobian of shape (2, 2, 3)", lambda x: np.outer(x[:2], x[1:]), lambda x: _outer_jacobian(x), box(3)
)
right(
    "jacobian of a matrix argument",
    lambda X: X @ b5[:3],
    lambda X: np.einsum("ij,k->ijk", np.eye(2), b5[:3]),
    box((2, 3)),
)
right(
    "polar coordinates",
    lambda x: np.array([x[0] * np.cos(x[1]), x[0] * np.sin(x[1])]),
    lambda x: np.array([[np.cos(x[1]), -x[0] * np.sin(x[1])], [np.sin(x[1]), x[0] * np.cos(x[1])]]),
    (np.array([0.1, -3.0]), np.array([2.0, 3.0])),
)


def _outer_jacobian(x):
    J = np.zeros((2, 2, 3))
    for i in range(2):
        for j in range(2):
            J[i, j, i] += x[1 + j]
            J[i, j, 1 + j] += x[i]
    return J


wrong("wrong shape: a column", lambda x: np.sum(x**2), lambda x: 2 * x[:, None], box(3), "shape")
wrong("wrong shape: one entry short", lambda x: np.sum(x**2), lambda x: 2 * x[:-1], box(3), "shape")
wrong("wrong shape: summed", lambda x: np.sum(x**2), lambda x: np.sum(2 * x), box(3), "shape")
wrong("wrong shape: flattened", lambda X: np.sum(X**2), lambda X: 2 * X.ravel(), box((2, 3)), "shape")
wrong("wrong shape: transposed matrix", lambda X: np.sum(X**2), lambda X: 2 * X.T, box((2, 3)), "layout")
wrong(
    "not reduced over the batch (nd4j 2424)",
    lambda w: np.sum((M45 * w) ** 2),
    lambda w: 2 * M45**2 * w,
    box(5),
    "shape",
)

WAVES = np.arange(300)
both(
    "three hundred waves of one number",
    lambda t: np.sin(WAVES * t),
    lambda t: WAVES * np.cos(WAVES * t),
    (0.0, 1.0),
    entry=lambda t: WAVES * np.cos(WAVES * t) * (1 + 1e-6 * (WAVES == 200)),
)
FIRST, LAST = np.random.default_rng(7).standard_normal((200, 50)) / 7, np.random.default_rng(8).standard_normal(200)
both(
    "two hundred relu units",
    lambda x: LAST @ np.maximum(FIRST @ x, 0),
    lambda x: FIRST.T @ (LAST * (FIRST @ x > 0)),
    box(50),
    entry=lambda x: FIRST.T @ (LAST * (FIRST @ x > 0)) * (1 + 1e-6 * (np.arange(50) == 3)),
    branch=lambda x: FIRST.T @ (LAST * (FIRST @ x > 0) * (np.arange(200) != 7)),
)
right(
    "cancellation of exp(30)",
    lambda x: np.sum(np.exp(30 * x)) - np.sum(np.exp(30 * x) - x**2),
    lambda x: 2 * x,
    box(2, 0, 1),
)

N = 10_000
LONG = box(N)
W = RNG.uniform(0.5, 2, N) * 10.0 ** RNG.uniform(-4, 0, N)
both(
    "ten thousand entries",
    lambda x: np.sum(W * np.sin(x)),
    lambda x: W * np.cos(x),
    LONG,
    sign=lambda x: _entry(W * np.cos(x), 4321, -1.0),
    entry=lambda x: _entry(W * np.cos(x), 77, 0.0),
    entry__smallest=lambda x: _entry(W * np.cos(x), int(np.argmin(W)), -1.0),
    rounding=lambda x: _entry(W * np.cos(x), 9999, 1 + 1e-6),
    rounding__9=lambda x: _entry(W * np.cos(x), 1234, 1 + 1e-9),
    index=lambda x: np.roll(W * np.cos(x), 1),
)
right("ten thousand relus", lambda x: np.sum(np.maximum(x, 0)), lambda x: (x > 0) * 1.0, LONG)
wrong(
    "ten thousand relus, one wrong",
    lambda x: np.sum(np.maximum(x, 0)),
    lambda x: _entry((x > 0) * 1.0, 5000, -1.0),
    LONG,
    "entry",
)
right(
    "a thousand couplings",
    lambda x: np.sum(x[1:] * x[:-1] ** 2),
    lambda x: np.append(2 * x[:-1] * x[1:], 0) + np.append(0, x[:-1] ** 2),
    box(1000),
)
wrong(
    "a thousand couplings, end forgotten",
    lambda x: np.sum(x[1:] * x[:-1] ** 2),
    lambda x: np.append(2 * x[:-1] * x[1:], 0) + np.append(0, np.append(x[:-2] ** 2, 0)),
    box(1000),
    "entry",
)


def _entry(g, i, factor):
    g = g.copy()
    g[i] *= factor
    return g


# ------------------------------------------------------------------------------------------ code with side effects, randomness, repeated values


def mutating(x):
    x *= 2
    return np.sum(x**2)


def mutating_gradient(x):
    x *= 8
    return x


right("changes its argument", mutating, mutating_gradient, box(3))
BUFFER = np.zeros(3)


def into_a_buffer(x):
    BUFFER[:] = 2 * x
    return BUFFER


right("always returns the same buffer", lambda x: np.sum(x**2), into_a_buffer, box(3))


@cache
def _cached(key):
    return float(np.sum(np.frombuffer(key) ** 2))


right("cached values", lambda x: _cached(x.tobytes()), lambda x: 2 * x, box(3))


def noisy(size, seed):
    rng = np.random.default_rng(seed)
    return lambda x: np.sum(np.sin(x)) + size * rng.standard_normal()


right("random noise of 1e-10", noisy(1e-10, 1), np.cos, box(3))
right("random noise of 1e-2", noisy(1e-2, 2), np.cos, box(3), hidden=True)
wrong("random noise of 1e-10: sign", noisy(1e-10, 3), lambda x: -np.cos(x), box(3), "sign")
wrong("random noise of 1e-10: one per cent", noisy(1e-10, 4), lambda x: 1.01 * np.cos(x), box(3), "factor")
wrong("random noise of 1e-2: one per cent", noisy(1e-2, 5), lambda x: 1.01 * np.cos(x), box(3), "factor", hidden=True)
right("smooth-looking noise of 1e-10", lambda x: np.sum(np.sin(x)) + 1e-10 * np.sin(1e7 * x.sum()), np.cos, box(3))
right(
    "noise from the digits of the argument",
    lambda x: np.sum(np.sin(x)) * (1 + 1e-11 * (hash(x.tobytes()) % 1000 - 500) / 500),
    np.cos,
    box(3),
)


class Drifting:
    """Grows with every call."""

    def __init__(self, by):
        self.calls, self.by = 0, by

    def __call__(self, x):
        self.calls += 1
        return np.sum(np.sin(x)) + self.by * self.calls


right("drifts by 1e-12 a call", Drifting(1e-12), np.cos, box(3))
right("drifts by 1e-3 a call", Drifting(1e-3), np.cos, box(3), hidden=True)
right("values rounded to ten digits", lambda x: round(float(np.sum(np.sin(x))), 10), np.cos, box(3))
right("constant", lambda x: 3.0, lambda x: np.zeros(3), box(3))
right("zero", lambda x: 0.0 * np.sum(x), lambda x: np.zeros(3), box(3))
right("linear", lambda x: x @ np.array([1.0, -2, 3]) + 7, lambda x: np.array([1.0, -2, 3]), box(3))
right(
    "linear with integer coefficients at integers",
    lambda x: x @ np.array([1, -2, 3]),
    lambda x: np.array([1, -2, 3]),
    lambda rng: rng.integers(-5, 6, 3).astype(float),
)
right(
    "independent of an entry",
    lambda x: x[0] ** 2 + np.exp(x[2]),
    lambda x: np.array([2 * x[0], 0, np.exp(x[2])]),
    box(3),
)
right("saturated to a constant", lambda x: np.tanh(100 + x.sum()), lambda x: np.zeros(3), box(3))
right(
    "a fixed coordinate",
    lambda x: x[0] * x[1] ** 2,
    lambda x: np.array([x[1] ** 2, 2 * x[0] * x[1]]),
    (np.array([2.0, -1]), np.array([2.0, 1])),
)
wrong(
    "a fixed coordinate: entry",
    lambda x: x[0] * x[1] ** 2,
    lambda x: np.array([2 * x[1] ** 2, 2 * x[0] * x[1]]),
    (np.array([2.0, -1]), np.array([2.0, 1])),
    "entry",
)
wrong("constant: not zero", lambda x: 3.0, lambda x: np.full(3, 1e-6), box(3), "other")
wrong(
    "linear: constant added",
    lambda x: x @ np.array([1.0, -2, 3]),
    lambda x: np.array([1.0, -2, 3]) + 1e-8,
    box(3),
    "rounding",
)
wrong(
    "independent of an entry, claimed not to be",
    lambda x: x[0] ** 2 + np.exp(x[2]),
    lambda x: np.array([2 * x[0], 1e-7, np.exp(x[2])]),
    box(3),
    "entry",
)

# ------------------------------------------------------------------------------------------------------- symmetric arguments


def spd(rng, n=3):
    X = rng.standard_normal((n, n))
    return X @ X.T + np.eye(n)


both(
    "log det by Cholesky on symmetric matrices",
    lambda X: 2 * np.sum(np.log(np.diag(np.linalg.cholesky(X)))),
    np.linalg.inv,
    spd,
    sign=lambda X: -np.linalg.inv(X),
    factor=lambda X: np.linalg.inv(X) / 2,
)
right(
    "largest eigenvalue by eigvalsh",
    lambda X: np.linalg.eigvalsh(X)[-1],
    lambda X: np.outer(np.linalg.eigh(X)[1][:, -1], np.linalg.eigh(X)[1][:, -1]),
    spd,
)
right(
    "log det of a symmetric matrix, entries independent",
    lambda X: np.linalg.slogdet(X)[1],
    lambda X: np.linalg.inv(X).T,
    spd,
)


def mvn(S):
    return -0.5 * (np.linalg.slogdet(S)[1] + b5[:3] @ np.linalg.solve(S, b5[:3]))


both(
    "normal log density in its covariance",
    mvn,
    lambda S: -0.5 * (np.linalg.inv(S) - np.outer(np.linalg.solve(S, b5[:3]), np.linalg.solve(S, b5[:3]))),
    spd,
    sign=lambda S: 0.5 * (np.linalg.inv(S) - np.outer(np.linalg.solve(S, b5[:3]), np.linalg.solve(S, b5[:3]))),
    sign__one_term=lambda S: (
        -0.5 * (np.linalg.inv(S) + np.outer(np.linalg.solve(S, b5[:3]), np.linalg.solve(S, b5[:3])))
    ),
    missing_term=lambda S: -0.5 * np.linalg.inv(S),
)


def strict_logdet(X):
    if not np.allclose(X, X.T, rtol=0, atol=1e-12):
        raise ValueError("not symmetric")
    return np.linalg.slogdet(X)[1]


right("log det that insists on symmetry", strict_logdet, np.linalg.inv, spd)
wrong("log det that insists on symmetry: factor", strict_logdet, lambda X: 2 * np.linalg.inv(X), spd, "factor")

# -------------------------------------------------------------------------------------------------------------- learning machines
X8 = RNG.standard_normal((8, 3))
T8 = RNG.standard_normal(8)


def unpack(p):
    return p[:12].reshape(4, 3), p[12:16], p[16:20], p[20]


def network(p):
    W1, c1, w2, c2 = unpack(p)
    return np.mean((np.tanh(X8 @ W1.T + c1) @ w2 + c2 - T8) ** 2)


def backprop(p, slip=""):
    W1, c1, w2, c2 = unpack(p)
    h = np.tanh(X8 @ W1.T + c1)
    r = 2 * (h @ w2 + c2 - T8) / (1 if slip == "mean" else 8)
    d = np.outer(r, w2) * (1 if slip == "chain" else (1 - h**2))
    if slip == "activation":
        d = np.outer(r, w2) * (1 - np.tanh(h) ** 2)
    gW, gc = d.T @ X8, d.sum(0)
    if slip == "bias":
        gc = d.mean(0)
    return np.concatenate(
        [(-gW if slip == "sign" else gW).ravel(order="F" if slip == "order" else "C"), gc, h.T @ r, [r.sum()]]
    )


both(
    "two-layer network",
    network,
    backprop,
    box(21),
    factor=lambda p: backprop(p, "mean"),
    chain=lambda p: backprop(p, "chain"),
    chain__twice=lambda p: backprop(p, "activation"),
    entry=lambda p: backprop(p, "bias"),
    sign=lambda p: backprop(p, "sign"),
    permutation=lambda p: backprop(p, "order"),
)


def layer_norm(x):
    return (x - x.mean()) / np.sqrt(x.var() + 1e-5)


G6 = RNG.standard_normal(6)


def layer_norm_gradient(x, slip=""):
    s = np.sqrt(x.var() + 1e-5)
    h = (x - x.mean()) / s
    if slip == "mean":
        return (G6 - h * np.mean(G6 * h)) / s
    if slip == "var":
        return (G6 - G6.mean()) / s
    return (G6 - G6.mean() - h * np.mean(G6 * h)) / (s if slip != "power" else s**2)


both(
    "layer normalisation",
    lambda x: G6 @ layer_norm(x),
    layer_norm_gradient,
    box(6, -2, 2),
    missing_term=lambda x: layer_norm_gradient(x, "mean"),
    missing_term__2=lambda x: layer_norm_gradient(x, "var"),
    power=lambda x: layer_norm_gradient(x, "power"),
)


def attention(q):
    p = softmax(X8 @ q / np.sqrt(3))
    return p @ T8


both(
    "attention",
    attention,
    lambda q: X8.T @ (softmax(X8 @ q / np.sqrt(3)) * (T8 - attention(q))) / np.sqrt(3),
    box(3),
    missing_factor=lambda q: X8.T @ (softmax(X8 @ q / np.sqrt(3)) * (T8 - attention(q))),
    missing_term=lambda q: X8.T @ (softmax(X8 @ q / np.sqrt(3)) * T8) / np.sqrt(3),
)
D8 = ((X8[:, None] - X8[None]) ** 2).sum(-1)


def gp(theta):
    K = np.exp(2 * theta[0]) * np.exp(-0.5 * D8 / np.exp(2 * theta[1])) + np.exp(2 * theta[2]) * np.eye(8)
    L = np.linalg.cholesky(K)
    return 0.5 * T8 @ scipy.linalg.cho_solve((L, True), T8) + np.sum(np.log(np.diag(L)))


def gp_gradient(theta, slip=""):
    R = np.exp(2 * theta[0]) * np.exp(-0.5 * D8 / np.exp(2 * theta[1]))
    K = R + np.exp(2 * theta[2]) * np.eye(8)
    Ki = np.linalg.inv(K)
    a = Ki @ T8
    inner = Ki - np.outer(a, a) if slip != "sign" else Ki + np.outer(a, a)
    dl = R * D8 / np.exp(2 * theta[1])
    if slip == "log":
        dl = dl / np.exp(theta[1])
    parts = [2 * R, dl, 2 * np.exp(2 * theta[2]) * np.eye(8)]
    return np.array([0.5 * np.sum(inner * P) for P in parts])


both(
    "gaussian process likelihood",
    gp,
    gp_gradient,
    (np.array([-0.5, -0.5, -1.5]), np.array([0.5, 0.7, 0.0])),
    sign=lambda t: gp_gradient(t, "sign"),
    missing_factor__of_the_logarithm=lambda t: gp_gradient(t, "log"),
)


def planar_logdet(x):
    return np.log(abs(1 + b5[:3] @ A5[0, :3] * 0.3 * (1 - np.tanh(A5[0, :3] @ x) ** 2)))


both(
    "planar flow",
    planar_logdet,
    lambda x: _planar(x, -2.0),
    box(3),
    factor=lambda x: _planar(x, -1.0),
    sign=lambda x: _planar(x, 2.0),
)


def _planar(x, factor):
    t = np.tanh(A5[0, :3] @ x)
    c = b5[:3] @ A5[0, :3] * 0.3
    return c * factor * t * (1 - t**2) * A5[0, :3] / (1 + c * (1 - t**2))


def convolution(x):
    return np.sum(np.convolve(x, [1.0, -2, 0.5], "valid") ** 2)


both(
    "convolution",
    convolution,
    lambda x: np.convolve(2 * np.convolve(x, [1.0, -2, 0.5], "valid"), [0.5, -2, 1.0]),
    box(9),
    transpose=lambda x: np.convolve(2 * np.convolve(x, [1.0, -2, 0.5], "valid"), [1.0, -2, 0.5]),
)
both(
    "kl divergence of gaussians",
    lambda p: 0.5 * np.sum(np.exp(p[3:]) + p[:3] ** 2 - 1 - p[3:]),
    lambda p: np.concatenate([p[:3], 0.5 * (np.exp(p[3:]) - 1)]),
    box(6, -2, 2),
    missing_term=lambda p: np.concatenate([p[:3], 0.5 * np.exp(p[3:])]),
    sign=lambda p: np.concatenate([p[:3], 0.5 * (1 - np.exp(p[3:]))]),
)

# --------------------------------------------------------------------------------- wrong where one does not look: regions and directions


def spoil(name, f, g, domain, slip, change):
    wrong(f"{name}: {change.__doc__ or slip}", f, lambda x: change(x, g(x)), domain, slip)


def smooth(x):
    return np.sum(np.sin(x) * np.arange(1, x.size + 1)) + np.prod(np.cos(x[:2]))


def smooth_gradient(x):
    g = np.cos(x) * np.arange(1, x.size + 1)
    g[0] -= np.sin(x[0]) * np.cos(x[1])
    g[1] -= np.cos(x[0]) * np.sin(x[1])
    return g


right("smooth in four entries", smooth, smooth_gradient, box(4))
REGIONS = {
    "on 2 % of an entry": lambda x: x[1] > 0.96,
    "on 3 % of an entry, inside": lambda x: abs(x[2] - 0.3) < 0.03,
    "on 4 % of an entry, at the low end": lambda x: x[0] < -0.92,
    "on a 2 % square": lambda x: x[0] > 0.72 and x[1] > 0.72,
    "on a 4 % square, inside": lambda x: abs(x[2] + 0.2) < 0.2 and abs(x[3] - 0.1) < 0.2,
    "where the sum is large": lambda x: x.sum() > 2.1,
    "where all are negative": lambda x: np.all(x < 0),
    "near the boundary": lambda x: np.max(np.abs(x)) > 0.99,
    "for negative first entries": lambda x: x[0] < 0,
    "close to zero": lambda x: abs(x[3]) < 0.02,
}
for where, inside in REGIONS.items():
    wrong(
        f"wrong {where}: ten per cent",
        smooth,
        lambda x, i=inside: smooth_gradient(x) * (1.1 if i(x) else 1),
        box(4),
        "region",
    )
    wrong(
        f"wrong {where}: one entry",
        smooth,
        lambda x, i=inside: smooth_gradient(x) * (np.array([1, 1, -1, 1]) if i(x) else 1),
        box(4),
        "region",
    )
wrong("wrong on 2 % of a number", np.sin, lambda x: np.cos(x) * (1 + 0.01 * (0.5 < x < 0.52)), (0.0, 1.0), "region")
wrong(
    "a bump of 4 %",
    lambda x: np.sum(np.sin(x)),
    lambda x: np.cos(x) + np.exp(-(((x - 0.3) / 0.01) ** 2)),
    box(1),
    "region",
)
for label, probe in {
    "ones": np.ones(4),
    "RandomState(0).randn": np.random.RandomState(0).randn(4),
    "default_rng(0)": np.random.default_rng(0).standard_normal(4),
    "RandomState(0).rand": np.random.RandomState(0).rand(4),
}.items():
    e = np.array([1.0, -1, 2, 0.5])
    e -= probe * (probe @ e) / (probe @ probe)
    wrong(f"error orthogonal to {label}", smooth, lambda x, e=e: smooth_gradient(x) + e, box(4), "other")
for size in (1e-3, 1e-5, 1e-7, 1e-9):
    wrong(f"all entries off by {size:.0e}", smooth, lambda x, s=size: smooth_gradient(x) * (1 + s), box(4), "rounding")
    wrong(
        f"one entry off by {size:.0e}",
        smooth,
        lambda x, s=size: smooth_gradient(x) * np.array([1, 1, 1 + s, 1]),
        box(4),
        "rounding",
    )
wrong(
    "wrong with the values: vanishes at symmetric arguments",
    lambda X: np.sum((X @ X) * A5[:3, :3]),
    lambda X: A5[:3, :3] @ X + X @ A5[:3, :3],
    box((3, 3)),
    "transpose",
)
wrong(
    "right for positive entries only: abs lost",
    lambda x: np.sum(np.abs(x) ** 1.5),
    lambda x: 1.5 * np.abs(x) ** 0.5,
    box(3),
    "branch",
)
wrong(
    "power of a negative base infinite (tt-metal 54439)",
    lambda x: np.sum(x**3),
    lambda x: np.where(x < 0, np.inf, 3 * x**2),
    box(3),
    "non-finite",
)
wrong(
    "NaN on the branch not taken (pytorch 187297)",
    lambda x: np.sum(np.where(x > 0, np.sqrt(np.abs(x)), x)),
    lambda x: np.where(x > 0, 0.5 / np.sqrt(np.abs(x)), 1) + 0 * np.sqrt(x),
    box(3),
    "non-finite",
)
wrong(
    "a spurious 5e-8 x (gam 2454)",
    lambda x: np.sum(np.exp(-x)),
    lambda x: -np.exp(-x) + 5e-8 * x,
    box(3, 0, 2),
    "missing_term",
)
wrong("a stopped gradient", lambda x: np.sum(x * np.exp(x)), np.exp, box(3), "missing_term")
wrong("mean for sum (wjbKimberly 7)", lambda x: np.sum(x**2), lambda x: 2 * x / x.size, box(5), "factor")
wrong(
    "divergent part dropped near the pole",
    lambda x: np.sum(1 / x),
    lambda x: -1 / np.maximum(x, 0.03) ** 2,
    box(2, 0, 1),
    "region",
)
wrong("clipped gradient", lambda x: np.sum(x**4), lambda x: np.clip(4 * x**3, -3, 3), box(3), "region")
wrong(
    "normalised gradient",
    lambda x: np.sum(x**4),
    lambda x: 4 * x**3 / np.linalg.norm(4 * x**3),
    box(3),
    "missing_factor",
)
wrong("absolute value of the gradient", lambda x: np.sum(x**4), lambda x: np.abs(4 * x**3), box(3), "sign")
wrong(
    "forward differences as a gradient",
    lambda x: np.sum(np.exp(x)),
    lambda x: (np.exp(x + 1e-6) - np.exp(x)) / 1e-6,
    box(3),
    "rounding",
)
wrong("gradient of the wrong function", lambda x: np.sum(np.sinh(x)), lambda x: np.cos(x), box(3), "function")
wrong("zero gradient", lambda x: np.sum(x**2), lambda x: 0 * x, box(3), "other")
wrong("a bug that NaN hides", lambda x: np.sum(np.exp(x)), lambda x: np.exp(x) * np.nan, box(3), "non-finite")
wrong(
    "stale: the gradient at the point before",
    lambda x: np.sum(x**2),
    (lambda memory: lambda x: memory.append(2 * x) or memory[-2])([np.zeros(3)]),
    box(3),
    "other",
)
