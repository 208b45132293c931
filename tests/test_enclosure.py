"""Is the truth always inside, and is there no number where there is no solution?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random
from time import monotonic

import numpy as np
import pytest
from flint import arb, arb_mat, arb_poly, arb_series, ctx
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

import verify
from verify.calculus.reverse import gradient
from verify.language import read_expression
from verify.language.toml import read_system
from verify.numerics.enclosure import Ball, Enclosure, Fail, enclose, step
from verify.numerics.enclosure.ball import ball
from verify.numerics.enclosure.field import Field, differentiated
from verify.numerics.enclosure.forward import Box, GaveUp, integrate
from verify.numerics.enclosure.jets import taylor
from verify.numerics.enclosure.objective import derivatives
from verify.numerics.enclosure.series import ZERO
from verify.numerics.enclosure.sweep import Bound
from verify.numerics.enclosure.tape import Tape
from verify.systems import Observation, OdeProblem


def ode(
    state: str, parameters: str, rhs: str, initial: str, time: str, terminal: str = "0", running: str = "0"
) -> OdeProblem:
    """A problem from text, parts separated by semicolons."""
    names = (*state.split(), *parameters.split(), "t", "t0", "T")

    def read(text: str) -> tuple:
        return tuple(read_expression(part, names) for part in text.split(";"))

    t0, T = read(time)
    return OdeProblem(
        tuple(state.split()),
        tuple(parameters.split()),
        read(rhs),
        read(initial),
        t0,
        T,
        *read(terminal),
        *read(running),
    )


def proved(found: Enclosure | Fail) -> Enclosure:
    assert isinstance(found, Enclosure), found
    return found


@dataclass(frozen=True)
class Known:
    """A problem whose objective has a closed form in the parameters, t0 and T (names, so that they vary)."""

    problem: OdeProblem
    closed: str
    low: float = 0.3
    high: float = 1.2

    def names(self) -> tuple[str, ...]:
        return differentiated(self.problem)

    def draw(self, rng: Random) -> dict[str, Fraction]:
        at = {name: Fraction(rng.randint(int(100 * self.low), int(100 * self.high)), 100) for name in self.names()}
        if "T" in at:
            at["T"] = at.get("t0", Fraction(0)) + at["T"]
        return at

    def truth(self, at: Mapping[str, Fraction]) -> dict[str, Ball]:
        """G and its gradient from the closed form, to 400 bits."""
        before, ctx.prec = ctx.prec, 400
        try:
            G = read_expression(self.closed, self.names())
            bound = Bound.of(Tape.of([G], self.names()), {})
            run = bound.run([ball(at[name]) for name in self.names()])
            values = [run.slots[bound.tape.roots[0]], *bound.derivatives(run, len(self.names()), ())[0]]
            return {name: Ball.of(x) for name, x in zip(("G", *self.names()), values, strict=True)}
        finally:
            ctx.prec = before


KNOWN = {
    "growth": Known(ode("x", "p", "p*x", "p^2", "t0;T", "x^2"), "p^4*exp(2*p*(T - t0))"),
    "logistic": Known(ode("x", "p b", "p*x*(1 - x)", "b", "0;T", "x"), "b*exp(p*T)/(1 + b*(exp(p*T) - 1))"),
    "decay": Known(ode("x", "p b", "-p*x^2", "b", "t0;T", "log(x)"), "log(b/(1 + p*b*(T - t0)))"),
    "near blow-up": Known(ode("x", "p", "p*x^2", "1", "0;T", "x"), "1/(1 - p*T)", 0.2, 0.9),
    "non-autonomous": Known(ode("x", "p", "p*sin(t)*x", "1", "t0;T", "x"), "exp(p*(cos(t0) - cos(T)))"),
    "oscillator": Known(ode("x y", "w", "y; -w^2*x", "1; t0", "t0;T", "x"),
                        "cos(w*(T - t0)) + t0*sin(w*(T - t0))/w"),
    "running cost": Known(ode("x", "p", "-p*x", "p", "t0;T", "p*x + T", "t*x"),
                          "p^2*exp(-p*(T - t0)) + T + t0 + 1/p - (T + 1/p)*exp(-p*(T - t0))"),
    "two times": Known(ode("x", "p", "p", "t0", "p*t0; T + p", "x*t"), "(t0 + p*(T + p - p*t0))*(T + p)", 0.3, 0.9),
    "roots": Known(ode("x", "b", "sqrt(x)", "b", "0;T", "x^(3/2)"), "(sqrt(b) + T/2)^3"),
    "tangent": Known(ode("x", "a", "1 + x^2", "a", "0;T", "atan(x)"), "atan(a) + T", 0.1, 0.6),
    "hyperbolic": Known(ode("x", "a", "1/cosh(x)", "a", "0;T", "x"), "asinh(sinh(a) + T)"),
    "saturating": Known(ode("x", "a", "tanh(x)", "a", "0;T", "sinh(x)"), "sinh(a)*exp(T)"),
}  # fmt: skip


def misses(known: Known, seed: int, radius: float, adjoint: bool = False) -> list[str]:
    at = known.draw(Random(seed))
    if known.closed == "1/(1 - p*T)" and at["p"] * at["T"] >= Fraction(9, 10):
        at["T"] = Fraction(1, 2)
    found, truth = proved(enclose(known.problem, at, radius=radius, adjoint=adjoint)), known.truth(at)
    assert found.reached, (at, found.radius)
    return [
        name
        for name, right in truth.items()
        if (found.objective if name == "G" else found.gradient[name]).apart(right) or right.radius > 1e-60
    ]


@pytest.mark.parametrize("name", KNOWN)
def test_the_closed_form_is_inside(name: str) -> None:
    for seed, radius in enumerate((1e-6, 1e-12)):
        assert misses(KNOWN[name], seed, radius) == []


@pytest.mark.thorough
@pytest.mark.parametrize("name", KNOWN)
def test_the_closed_form_is_inside_at_many_points(name: str) -> None:
    for seed in range(60):
        assert misses(KNOWN[name], 100 + seed, 10.0 ** -(3 + seed % 20), adjoint=seed % 3 == 0) == []


LOTKA = ode("x y", "a b c d", "a*x - b*x*y; -c*y + d*x*y", "1; 1", "0;10", "((x - 2)^2 + (y - 1)^2)/2")
POINT = {"a": "1.5", "b": 1, "c": 3, "d": 1}


def test_lotka_volterra_keeps_twelve_digits_over_three_periods() -> None:
    found = proved(verify.enclose(LOTKA, POINT, radius=1e-12))
    assert found.reached
    finer = proved(verify.enclose(LOTKA, POINT, radius=1e-25))
    for name, wide in found.gradient.items():
        # 1e-25 in 1e-12: not only do they meet, the one lies in the other.
        assert finer.gradient[name].mid in wide
    # Autonomous, and no T in the objective: shifting both ends changes nothing.
    assert not Ball(-found.gradient["T"].mid, found.gradient["T"].radius).apart(found.gradient["t0"])


@given(seed=st.integers(0, 10**6))
def test_random_systems_agree_with_a_solver_that_knows_nothing_of_this(seed: int) -> None:
    rng = Random(seed)

    def c() -> str:
        return str(Fraction(rng.randint(-12, 12), 10))

    rhs = f"{c()}*x*y + p*sin(t) + {c()}*y; {c()}*x - p*y^2*{c()} + {c()}*q*t; {c()}*tanh(z - q*x) + {c()}*cos(y)"
    problem = ode("x y z", "p q", rhs, f"p; {c()}; q^2 + {c()}", "1/4; 1", f"x*y + p*z + {c()}*t", f"x^2*p + t*z*{c()}")
    at = {"p": Fraction(rng.randint(-9, 9), 10), "q": Fraction(rng.randint(-9, 9), 10)}
    found = enclose(problem, at, radius=1e-9)
    if isinstance(found, Fail):
        assert _solved(problem, at) is None, found
        return
    value = _solved(problem, at)
    assert value is not None
    assert abs(value - float(found.objective)) <= 1e-8 * max(1, abs(value))
    for name, x in at.items():
        h = Fraction(1, 1000)
        ends = [_solved(problem, {**at, name: x + k * h}) for k in (-2, -1, 1, 2)]
        slope = float(np.dot(np.array(ends, dtype=float), [1, -8, 8, -1])) / (12 * float(h))
        assert abs(slope - float(found.gradient[name])) <= 1e-6 * max(1, abs(slope))


def _solved(problem: OdeProblem, at: Mapping[str, Fraction]) -> float | None:
    from verify.numerics.straight import Straight

    rates = Straight((*problem.rhs, problem.running))
    values = {name: float(x) for name, x in at.items()}

    def rhs(t: float, y: np.ndarray) -> list[float]:
        return [float(r) for r in rates({**values, "t": t, **dict(zip(problem.state, y, strict=False))})]

    start = [float(x) for x in Straight(problem.initial)(values)] + [0.0]
    ends = [float(x) for x in Straight((problem.t0, problem.T))(values)]
    try:
        out = solve_ivp(rhs, ends, start, method="DOP853", rtol=1e-11, atol=1e-12)
    except (FloatingPointError, OverflowError):
        return None
    if not out.success or not np.isfinite(out.y).all() or np.abs(out.y).max() > 1e6:
        return None
    last = {**values, "t": ends[1], **dict(zip(problem.state, out.y[:-1, -1], strict=True))}
    return float(Straight((problem.terminal,))(last)[0]) + float(out.y[-1, -1])


# --- the adjoint -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KNOWN)
def test_the_closed_form_is_inside_by_the_adjoint_too(name: str) -> None:
    for seed, radius in enumerate((1e-6, 1e-12)):
        assert misses(KNOWN[name], seed, radius, adjoint=True) == []


def test_the_adjoint_meets_the_sensitivities_on_a_network() -> None:
    names = [f"w{i}" for i in range(15)]
    rhs = "; ".join(
        f"tanh({a}*x + {b}*y + {c}) + {d}*sin(t*y) - {e}*x^2" for a, b, c, d, e in (names[:5], names[5:10], names[10:])
    )
    problem = ode("x y z", " ".join(names), rhs, "w3; w4^2; 1/2", "1/5; 6/5", "x*y + w7*z^2", "z*x + w9*t")
    rng = Random(8)
    at = {name: Fraction(rng.randint(-12, 12), 10) for name in names}
    for values in (at, {name: (x, x + Fraction(1, 10**6)) for name, x in at.items()}):
        one = proved(enclose(problem, values, radius=1e-14, adjoint=False))
        other = proved(enclose(problem, values, radius=1e-14, adjoint=True))
        assert set(one.gradient) == set(other.gradient)
        for key, found in one.gradient.items():
            assert not found.apart(other.gradient[key]), key
        assert max(one.radius, other.radius) < (1e-13 if values is at else 1e-3)
    # Several names a state: the adjoint is chosen by itself.
    assert enclose(problem, at, radius=1e-14) == enclose(problem, at, radius=1e-14, adjoint=True)


@dataclass
class Coarse:
    """Few coefficients and long steps, where the tails are what carries the truth."""

    known: Known
    adjoint: bool

    def misses(self, trials: int = 12) -> int:
        found, rng = 0, Random(11)
        before = ctx.prec, ctx.cap
        for trial in range(trials):
            at, order = self.known.draw(rng), 4 + trial % 4
            truth = self.known.truth(at)
            ctx.prec, ctx.cap = 100, 50
            try:
                field = Field.of(self.known.problem, self.known.names())
                box = Box.of({name: ball(x) for name, x in at.items()}, ())
                way = integrate(field, box, order, 1e-4, monotonic() + 10, self.adjoint)
                objective, gradient = derivatives(field, way, 0)
                balls = [Ball.of(objective), *(Ball.of(gradient[name]) for name in self.known.names())]
            except GaveUp:
                continue
            finally:
                ctx.prec, ctx.cap = before
            found += any(b.apart(truth[name]) for b, name in zip(balls, ("G", *self.known.names()), strict=True))
        return found


COARSE = ("oscillator", "running cost", "logistic")


@pytest.mark.parametrize("adjoint", [False, True])
@pytest.mark.parametrize("name", COARSE)
def test_the_truth_is_inside_where_all_depends_on_the_tails(name: str, adjoint: bool) -> None:
    assert Coarse(KNOWN[name], adjoint).misses() == 0


@pytest.mark.parametrize("adjoint", [False, True])
@pytest.mark.parametrize("module", ["step", "integrals", "linear"])
def test_tails_that_are_dropped_at_the_end_of_a_step_are_caught(
    module: str, adjoint: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"verify.numerics.enclosure.{module}.UNIT", ZERO)
    assert sum(Coarse(KNOWN[name], adjoint).misses() for name in COARSE) > 0


@pytest.mark.parametrize("adjoint", [False, True])
def test_a_frame_that_forgets_its_width_is_caught(adjoint: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verify.numerics.enclosure.frame.UNIT", ZERO)
    assert sum(Coarse(KNOWN[name], adjoint).misses() for name in COARSE) > 5


def test_layers_as_matrices_and_one_by_one_agree_on_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, at = Random(12), {}

    def w() -> str:
        name = f"w{len(at)}"
        at[name] = Fraction(rng.randint(-15, 15), 10)
        return name

    hidden = [f"tanh({w()}*x + {w()}*y + {w()}*z + {w()}*t)" for _ in range(8)]
    rhs = "; ".join(" + ".join(f"{w()}*{each}" for each in hidden) for _ in range(3))
    problem = ode("x y z", " ".join(at), rhs, "w1; w2^2; 1/2", "1/4; 1", "x*y + w0*z^2")
    one = proved(enclose(problem, at, radius=1e-14))
    monkeypatch.setattr("verify.numerics.enclosure.layers.DENSE", 10**9)
    for adjoint in (False, True):
        other = proved(enclose(problem, at, radius=1e-14, adjoint=adjoint))
        assert not any(one.gradient[name].apart(other.gradient[name]) for name in one.gradient)
        assert max(one.radius, other.radius) < 1e-14


# --- boxes ------------------------------------------------------------------------------------------------


def test_a_box_of_parameters_holds_the_gradient_at_each_of_its_points() -> None:
    known = KNOWN["oscillator"]
    box = {"w": ("1", "1.001"), "t0": ("0.2", "0.2005"), "T": ("1.5", "1.501")}
    found = proved(enclose(known.problem, box))
    assert not found.reached
    assert found.radius < 0.1
    for w in ("1", "1.0004", "1.001"):
        for t0 in ("0.2", "0.2005"):
            for T in ("1.5", "1.501"):
                truth = known.truth({"w": Fraction(w), "t0": Fraction(t0), "T": Fraction(T)})
                assert truth["G"].mid in found.objective
                assert all(truth[name].mid in found.gradient[name] for name in known.names())


def test_a_box_that_holds_a_blow_up_has_no_enclosure() -> None:
    assert not enclose(KNOWN["near blow-up"].problem, {"p": ("0.8", "1.1"), "T": 1})


# --- several times, second derivatives -------------------------------------------------------------------------


def observed(problem: OdeProblem, *observations: tuple[str, str]) -> OdeProblem:
    names = (*problem.state, *problem.parameters, "t", "t0", "T")
    read = [Observation(*(read_expression(text, names) for text in each)) for each in observations]
    return replace(problem, observations=tuple(read))


OBSERVED = {
    "growth": Known(observed(ode("x", "p b", "p*x", "b", "0;T", "x"), ("T/3", "x^2"), ("T/2", "p*x*t")),
                    "b*exp(p*T) + b^2*exp(2*p*T/3) + p*b*T/2*exp(p*T/2)"),
    "moving": Known(observed(ode("x", "p b", "-p*x", "b", "t0;T", "0", "x"), ("t0 + b/20", "x"), ("t0 + b/10", "x*t")),
                    "b*exp(-p*b/20) + b*exp(-p*b/10)*(t0 + b/10) + b*(1 - exp(-p*(T - t0)))/p"),
    "rotation": Known(observed(ode("x y", "w", "w*y; -w*x", "0; 1", "0;2", "y"), ("1/2", "x"), ("1", "x*y + t")),
                      "cos(2*w) + sin(w/2) + sin(w)*cos(w) + 1"),
}  # fmt: skip


@pytest.mark.parametrize("adjoint", [False, True])
@pytest.mark.parametrize("name", OBSERVED)
def test_what_is_observed_on_the_way_is_part_of_the_objective(name: str, adjoint: bool) -> None:
    for seed in range(4):
        assert misses(OBSERVED[name], seed, 1e-12, adjoint) == []


@pytest.mark.parametrize("name", OBSERVED)
def test_observations_over_a_box_hold_its_points(name: str) -> None:
    known, rng = OBSERVED[name], Random(2)
    at = known.draw(rng)
    box = {key: (x, x + Fraction(1, 50)) for key, x in at.items()}
    found = proved(enclose(known.problem, box))
    for k in (0, 1, 2):
        truth = known.truth({key: x + Fraction(k, 100) for key, x in at.items()})
        assert not found.objective.apart(truth["G"])
        assert not any(found.gradient[key].apart(truth[key]) for key in known.names())


def test_times_that_are_not_in_their_order_have_no_enclosure() -> None:
    problem = observed(ode("x", "p q", "p*x", "1", "0;q", "x"), ("1/2", "x"))
    assert enclose(problem, {"p": 1, "q": 1})
    assert not enclose(problem, {"p": 1, "q": "1/4"})


@pytest.mark.parametrize("name", ["growth", "oscillator", "running cost", "two times", "decay"])
def test_the_second_derivatives_are_inside(name: str) -> None:
    known = KNOWN[name]
    at = known.draw(Random(7))
    found = proved(enclose(known.problem, at, radius=1e-10, second=True))
    before, ctx.prec = ctx.prec, 300
    try:
        names = known.names()
        G = read_expression(known.closed, names)
        values = [ball(at[key]) for key in names]
        rows = gradient(G, names)
        bound = Bound.of(Tape.of(rows, names), {})
        truth = bound.derivatives(bound.run(values), len(names), ())
        for one, row in zip(names, truth, strict=True):
            for other, right in zip(names, row, strict=True):
                inside = found.hessian[one, other]
                assert not inside.apart(Ball.of(right)), (one, other)
                assert inside.radius < 1e-6
    finally:
        ctx.prec = before
    off = Fraction(1, 10**5)
    assert all(b.mid + off not in b for b in found.hessian.values())


# --- no number without a solution -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "at"),
    [
        (ode("x", "p", "x^2", "p", "0;2", "x"), {"p": 1}),
        (ode("x", "p", "x^2", "p", "0;1", "x"), {"p": 1}),
        (ode("x", "p", "1 + p*x^2", "0", "0;pi/2", "x"), {"p": 1}),
        (ode("x", "p", "exp(x)", "p", "0;3", "x"), {"p": 0}),
        (ode("x", "p", "-1/x", "p", "0;1", "x"), {"p": 1}),
        (ode("x", "p", "-p*sqrt(x)", "1", "0;3", "x"), {"p": 1}),
        (ode("x", "p", "sqrt(x)", "p", "0;1", "x"), {"p": 0}),
        (ode("x", "p", "p/t", "1", "0;1", "x"), {"p": 1}),
        (ode("x", "p", "p/(t - 1/3)", "1", "0;1", "x"), {"p": 1}),
        (ode("x", "p", "log(t - 1/2)*p", "1", "0;1", "x"), {"p": 1}),
        (ode("x", "p", "0*log(x)", "-p", "0;1", "x"), {"p": 1}),
        (ode("x", "p", "(-2)^p", "1", "0;1", "x"), {"p": "1/2"}),
        (ode("x", "p", "p", "log(p)", "0;1", "x"), {"p": -1}),
        (ode("x", "p", "p", "1", "0;1", "log(-x)"), {"p": 1}),
        (ode("x", "p", "p", "0", "0;1", "x", "1/(t - 1/2)"), {"p": 1}),
        (ode("x", "p", "p", "1", "1;p", "x"), {"p": 1}),
        (ode("x", "p", "p", "1", "1;p", "x"), {"p": "1/2"}),
        (ode("x", "p", "p", "1", "0;log(p)", "x"), {"p": -1}),
    ],
)
def test_where_no_solution_reaches_the_end_there_is_a_reason_and_no_number(problem: OdeProblem, at: dict) -> None:
    found = enclose(problem, at)
    assert isinstance(found, Fail), found
    assert found.reason
    assert not found


def test_a_part_without_a_value_counts_even_in_a_matrix_that_multiplies_it_by_zero() -> None:
    rows = ((1, 2, 3, 4, 5), (2, 1, 2, 1, 2), (1, 1, 1, 1, 2))
    for inner, exists in (("x - 5", False), ("x + 5", True)):
        rhs = "; ".join(
            f"0*log({inner}) + {a}*x + {b}*y + {c}*sin(x) + {d}*cos(y) + {e}*exp(-z) + sin(z)" for a, b, c, d, e in rows
        )
        assert bool(enclose(ode("x y z", "p", rhs, "p; 1; 1", "0;1/10", "x"), {"p": 1})) is exists


@pytest.mark.parametrize("rhs", ["abs(x)", "max(x, p)", "floor(x)", "erf(p*x)", "gamma(x)"])
def test_what_has_no_rule_is_named(rhs: str) -> None:
    found = enclose(ode("x", "p", rhs, "1", "0;1", "x"), {"p": 1})
    assert isinstance(found, Fail)
    assert rhs.partition("(")[0] in found.reason


def test_a_way_that_is_only_long_is_not_called_stiff() -> None:
    found = enclose(ode("x y", "w", "y; -w^2*x", "1; 0", "0;10^7", "x"), {"w": 1})
    assert isinstance(found, Fail)
    assert found.reason.startswith("a long way")


@pytest.mark.parametrize("rhs", ["p*x^2", "1 + p*x^2", "exp(x)", "p/(2 - t) + x^2"])
def test_a_solution_that_blows_up_is_given_up_near_the_place(rhs: str) -> None:
    found = enclose(ode("x", "p", rhs, "1", "0;4", "x"), {"p": 1})
    assert isinstance(found, Fail)
    assert "blows up" in found.reason
    assert "stiff" not in found.reason


def test_time_that_runs_out_is_a_reason() -> None:
    found = enclose(LOTKA, POINT, seconds=0.0)
    assert isinstance(found, Fail)
    assert "time" in found.reason


@pytest.mark.parametrize("at", [{}, {"a": 1, "b": 1, "c": 1}, {**POINT, "z": 1}, {**POINT, "a": "one"},
                                {**POINT, "a": (2, 1)}, {**POINT, "a": float("nan")}])  # fmt: skip
def test_names_need_a_value_each(at: dict) -> None:
    with pytest.raises(ValueError, match=r"value|name|number|empty"):
        enclose(LOTKA, at)


def test_the_length_of_series_is_not_a_matter_of_a_global() -> None:
    whole = proved(enclose(LOTKA, POINT, radius=1e-8))
    before = ctx.prec, ctx.cap
    try:
        ctx.prec, ctx.cap = 20, 3
        assert enclose(LOTKA, POINT, radius=1e-8) == whole
        assert (ctx.prec, ctx.cap) == (20, 3)
    finally:
        ctx.prec, ctx.cap = before


def test_a_toml_problem_is_enclosed() -> None:
    text = """kind = "ode-gradient"
[ode]
state = ["x"]
parameters = ["a"]
rhs = ["-a*x"]
initial = ["1"]
time = ["0", "1"]
[objective]
terminal = "x^2/2"
"""
    found = proved(enclose(read_system(text), {"a": "1/2"}))
    assert abs(float(found.gradient["a"]) + np.exp(-1)) < 1e-12
    assert set(found.to_json()["gradient"]) == {"a", "t0", "T", "x(t0)"}


# --- the inclusion by itself ---------------------------------------------------------------------------------


def inclusion_violations(wrong: bool, trials: int = 40) -> int:
    """How often the true tail of x' = x^2 + p t exceeds the bound; `wrong` leaves the tail of f out."""
    rng, found = Random(9), 0
    field = Field.of(ode("x", "p", "x^2 + p*t", "1", "0;1", "x"), ("p",))
    before = ctx.prec, ctx.cap
    ctx.prec, ctx.cap = 200, 200
    try:
        for _ in range(trials):
            n, h, start = rng.choice([4, 6, 10]), arb(rng.uniform(0.2, 0.6)), [arb(rng.uniform(0.3, 1.0))]
            rhs = field.at({"p": arb(rng.uniform(-1, 1))}, ()).rhs
            (whole,) = taylor(rhs, ZERO, start, h, 8 * n)
            p = arb_poly(whole[:n])
            try:
                bound = step.tube(rhs, ZERO, h, start, n).states[0].r
            except ArithmeticError:
                continue
            if wrong:
                bound = (abs((p * p)[n - 1]) * h / n).abs_upper()
            found += not sum(map(abs, whole[n:]), ZERO) <= bound
    finally:
        ctx.prec, ctx.cap = before
    return found


def test_the_tail_of_a_solution_is_never_larger_than_its_bound() -> None:
    assert inclusion_violations(wrong=False) == 0


def test_a_tail_without_what_f_leaves_is_caught() -> None:
    assert inclusion_violations(wrong=True) > 20


FIELDS = {
    "polynomial": "x*y - 2*x^3 + t^2*y; x - y^5/7 + p",
    "exponential": "exp(p*x - y); log(2 + x^2 + y^2)*t",
    "waves": "sin(x + p*t)*cos(y); cos(3*x*y) - sin(y)^2",
    "roots": "sqrt(1 + x^2)*y; 1/(2 + x*y) + (3 + x)^(1/3)",
    "bounded": "tanh(p*x - 2*y); atan(x*y + t) + tanh(x)^2",
    "shared": "(x*y)^2 + x*y; x^(-2) + y/(x*y + 4)",
    "layers": "; ".join(
        f"{a}*x + {b}*y + {c}*sin(x) + {d}*exp(y)" for a, b, c, d in ((1, 2, "p", -1), (3, "p^2", 0, 1))
    ),
}


@pytest.mark.parametrize("name", FIELDS)
def test_taylor_coefficients_satisfy_the_equation(name: str) -> None:
    problem = ode("x y", "p", FIELDS[name], "1; 1", "0;1")
    before = ctx.prec, ctx.cap
    ctx.prec, ctx.cap = 160, 80
    try:
        rhs, h, time = Field.of(problem, ("p",)).at({"p": ball(Fraction(3, 10))}, ()).rhs, arb(0.25), arb(0.5)
        for n in (2, 3, 8, 13, 30):
            C = taylor(rhs, time, [arb(0.75), arb(1.5)], h, n)
            # The same functions by FLINT, which knows nothing of the recurrences.
            rates = rhs([*(arb_series(c, n) for c in C), arb_series([time, h], n)])
            for x, rate in zip(C, rates, strict=True):
                assert all((rate[k] * h).overlaps(x[k + 1] * (k + 1)) for k in range(n - 1))
                assert max(c.rad() for c in x) < 1e-30
    finally:
        ctx.prec, ctx.cap = before


@pytest.mark.parametrize("name", FIELDS)
def test_a_sweep_gives_the_derivatives_that_the_rules_of_calculus_give(name: str) -> None:
    problem, names = ode("x y", "p", FIELDS[name], "1; 1", "0;1"), ("x", "y", "t")
    before, ctx.prec = ctx.prec, 160
    try:
        at = {"p": ball(Fraction(3, 10))}
        bound = Bound.of(Tape.of(problem.rhs, names), at, ("p",))
        inputs = [arb(0.75), arb(1.5), arb(0.5)]
        found = bound.derivatives(bound.run(inputs), 3, ("p",))
        for row, f in zip(found, problem.rhs, strict=True):
            written = Bound.of(Tape.of(gradient(f, (*names, "p")), names), at)
            for x, right in zip(row, written(inputs), strict=True):
                assert x.overlaps(right)
                assert x.rad() < 1e-40
    finally:
        ctx.prec = before


def test_a_frame_that_turns_holds_the_images() -> None:
    from verify.numerics.enclosure.frame import Frame

    rng, frame = Random(4), Frame.identity(2)
    m, r = arb_mat([[arb(1)], [arb(2)]]), arb_mat([[arb(0, 0.1)], [arb(0, 0.01)]])
    part, point = (m, r), arb_mat([[arb(1.07)], [arb(1.995)]])
    for _ in range(50):
        J = arb_mat(2, 2, [arb(rng.uniform(-1, 1)) for _ in range(4)])
        frame, (part,) = frame.move(J, [part], [J * part[0]])
        point = J * point
        assert all(a.overlaps(b) for a, b in zip(frame.hull(part).entries(), point.entries(), strict=True))


@given(
    mid=st.fractions(max_denominator=10**12),
    radius=st.fractions(min_value=0, max_value=100, max_denominator=10**15),
)
def test_the_text_of_a_ball_holds_the_ball(mid: Fraction, radius: Fraction) -> None:
    found = Ball(mid, radius)
    before, ctx.prec = ctx.prec, 400
    try:
        shown = arb(found.text)
        assert shown.lower() <= ball(mid - radius).upper()
        assert shown.upper() >= ball(mid + radius).lower()
    finally:
        ctx.prec = before
