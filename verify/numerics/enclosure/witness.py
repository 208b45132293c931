"""Do enclosures hold what others find?  Logistic growth by balls, by forty digits, and by a solver in doubles."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from scipy.integrate import solve_ivp

from verify.derivation import Figure, Series
from verify.language import read_expression
from verify.numerics.enclosure.enclose import Enclosure, enclose
from verify.numerics.enclosure.trial import unnoticed, untrue
from verify.systems import OdeProblem
from verify.verdict import Evidence, Rigor

_BALLS = frozenset({"arb", "Schauder's theorem"})
#: Trials for each rule, and the digits of the independent solution.
TRIALS, DIGITS = 30, 40


def _problem(state: str, names: str, rhs: str, initial: str, T: str, terminal: str) -> OdeProblem:
    known = (*state.split(), *names.split(), "t")

    def read(text: str) -> tuple:
        return tuple(read_expression(part, known) for part in text.split(";"))

    return OdeProblem(
        tuple(state.split()), tuple(names.split()), read(rhs), read(initial), *read("0"), *read(T), *read(terminal)
    )


LOGISTIC = _problem("x", "p q", "p*x*(1 - x)", "q*p", "T", "x")
FALLING = OdeProblem("y v", "h g e", ["v", "-g"], ["h", 0], 0, "T", "y", events=[{"when": "y", "reset": ["y", "-e*v"]}])
LOTKA_VOLTERRA = ("x y", "a b c d", "a*x - b*x*y; -c*y + d*x*y", "1; 1")


def _balls(p: float, q: float, T: float, adjoint: bool) -> Enclosure | None:
    at = {"p": Fraction(p), "q": Fraction(q), "T": Fraction(T)}
    found = enclose(LOGISTIC, at, radius=1e-15, adjoint=adjoint)
    return found if isinstance(found, Enclosure) else None


def middles(adjoint: bool) -> Callable[..., np.ndarray]:
    """The middles of the balls of (dG/dp, dG/dq, dG/dT); NaN where there are none."""

    def value(p: float, q: float, T: float) -> np.ndarray:
        found = _balls(p, q, T, adjoint)
        return np.array([float(found.gradient[name]) if found else np.nan for name in ("p", "q", "T")])

    return value


def held(p: float, q: float, T: float) -> np.ndarray:
    """The gradient by Taylor series of the variational equations to 40 digits; NaN for what no ball holds."""
    import mpmath

    with mpmath.workdps(DIGITS):
        P, Q = mpmath.mpf(p), mpmath.mpf(q)

        def rate(_: object, w: list) -> list:
            x, by_p, by_q = w
            slope = P * (1 - 2 * x)
            return [P * x * (1 - x), slope * by_p + x * (1 - x), slope * by_q]

        end = mpmath.odefun(rate, 0, [Q * P, Q, P])(mpmath.mpf(T))
        values = [end[1], end[2], P * end[0] * (1 - end[0])]
        exact = [Fraction(int(mpmath.nint(x * 10**45)), 10**45) for x in values]
    found = [_balls(p, q, T, adjoint) for adjoint in (False, True)]
    slack = Fraction(1, 10 ** (DIGITS - 3))
    inside = [
        all(
            each is not None and abs(x - each.gradient[name].mid) <= each.gradient[name].radius + slack
            for each in found
        )
        for x, name in zip(exact, ("p", "q", "T"), strict=True)
    ]
    return np.array([float(x) if right else np.nan for x, right in zip(exact, inside, strict=True)])


def sensitivities(p: float, q: float, T: float) -> np.ndarray:
    """The same by DOP853 in doubles."""

    def rate(_: float, w: np.ndarray) -> list[float]:
        x, by_p, by_q = w
        slope = p * (1 - 2 * x)
        return [p * x * (1 - x), slope * by_p + x * (1 - x), slope * by_q]

    x, by_p, by_q = solve_ivp(rate, (0, T), [q * p, q, p], method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
    return np.array([by_p, by_q, p * x * (1 - x)])


def rules_hold() -> Evidence:
    """No rule for tails is violated in trials in which every rule that forgets a part is."""
    wrong = [name for name, count in untrue(TRIALS).items() if count]
    blind = [name for name, count in unnoticed(TRIALS).items() if not count]
    detail = {"violated": ", ".join(wrong), "not noticed": ", ".join(blind), "trials": TRIALS}
    return Evidence("trials on known series", Rigor.NUMERICAL, not wrong and not blind, _BALLS, detail=detail)


def bounces() -> Evidence:
    """The gradient of a bouncing ball's height in closed form, at points where its falls last 1 and 3/2."""
    inside, outside, off = True, True, 1 + Fraction(1, 10**10)
    for texts in (("1/2", "1", "1/2", "7/4"), ("9/8", "1", "3/4", "5/2"), ("2", "4", "1/3", "3/2")):
        h, g, e, T = (Fraction(text) for text in texts)
        found = enclose(FALLING, {"h": h, "g": g, "e": e, "T": T}, radius=1e-15)
        tau = Fraction(math.isqrt(int(8 * h / g)), 2)
        # y(T) = e g tau (T - tau) - g (T - tau)^2/2, with d tau/dh = 1/(g tau) and d tau/dg = -tau/(2 g).
        left = T - tau
        by_tau = e * g * (left - tau) + g * left
        by_g = -by_tau * tau / (2 * g) + e * tau * left - left**2 / 2
        for name, right in {"h": by_tau / (g * tau), "g": by_g, "e": g * tau * left}.items():
            inside &= isinstance(found, Enclosure) and right in found.gradient[name]
            outside &= isinstance(found, Enclosure) and off * right not in found.gradient[name]
    return Evidence("enclosure through an event", Rigor.ENCLOSED, inside and outside, _BALLS)


def exists() -> Evidence:
    """A solution on the whole interval, for all parameters of a box."""
    found = enclose(LOGISTIC, {"p": ("1", "1.1"), "q": ("0.3", "0.35"), "T": 2})
    detail = {} if found else {"reason": getattr(found, "reason", "")}
    return Evidence("enclosure over the box", Rigor.ENCLOSED, bool(found), _BALLS, detail=detail)


def radius_over_time(times: tuple[int, ...]) -> Figure:
    """How far balls and doubles are off, for Lotka-Volterra cycles: the radius against the error of a solver."""
    at = {"a": "3/2", "b": 1, "c": 3, "d": 1}
    radii, errors = [], []

    def rate(_: float, w: np.ndarray) -> list[float]:
        return [1.5 * w[0] - w[0] * w[1], -3 * w[1] + w[0] * w[1]]

    for T in times:
        found = enclose(_problem(*LOTKA_VOLTERRA, str(T), "x"), at, radius=1e-12)
        if not isinstance(found, Enclosure):
            raise ArithmeticError(f"no enclosure at T = {T}: {found.reason}")
        radii.append(float(found.state["x"].radius))
        solved = solve_ivp(rate, (0, T), [1.0, 1.0], method="DOP853", rtol=1e-10, atol=1e-12).y[0, -1]
        errors.append(float(abs(Fraction(float(solved)) - found.state["x"].mid)) + 1e-18)
    x = tuple(float(T) for T in times)
    return Figure(
        "What is proved, and what a solver leaves",
        "T",
        "distance from x(T)",
        (
            Series("radius of the ball", x, tuple(radii)),
            Series("error of DOP853, rtol 1e-10", x, tuple(errors)),
        ),
        log_y=True,
        caption="Lotka-Volterra cycles.  The radius, which is proved, grows no faster than the flow separates points.",
    )
