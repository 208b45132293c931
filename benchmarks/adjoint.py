"""How good, and how fast, are gradients through ODEs?  A bank of problems for us and for others, in one run.

    linear         u' = A(p) u, 2, 5 and 20 states, A and the start quadratic in as many or more parameters
    Lotka-Volterra four parameters, three periods
    Van der Pol    mu = 5, and mu = 1000, which is stiff; parameters mu and the start
    network        tanh layers; 280 parameters, and 12, 102, 1002 for the growth of the cost
    flow           a planar continuous flow with its log-density, 20 parameters

Every row is a way to dG/dp: its error against the validated enclosure (against heyoka or the best of ours where there
is none, marked ~), seconds of CPU for each gradient, and the ratio to one forward solve in SciPy at 1e-8.  `ours` is
the interpolated adjoint from one reverse sweep over the graph; `ours, exact` is the enclosure and its radius.

    python benchmarks/adjoint.py [--only NAME …] [--seconds 20]

Others are measured if they are installed (pip install 'neural-ode-verify[peers]'), and named if not.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from time import process_time
from typing import Any

import numpy as np
from adjoint_bank import Case, bank, growth
from scipy.integrate import solve_ivp

from verify.numerics import autodiff, ode
from verify.numerics.enclosure import Enclosure, enclose
from verify.numerics.routes import heyoka
from verify.numerics.routes.point import Point
from verify.numerics.routes.survey import survey

Array = Any
Way = Callable[["Prepared"], Array]
#: Seconds after which a first run is the last one.
PATIENCE = 15.0
PEERS = ("heyoka", "casadi", "diffrax", "torchdiffeq")


@dataclass(frozen=True)
class Prepared:
    """A case with its functions compiled; `made` holds what a peer has compiled."""

    case: Case
    point: Point
    stiff: bool
    made: dict[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> tuple[Array, float, float]:
        return self.point.p, *self.point.ends

    def solver(self, rtol: float) -> ode.Solver:
        return ode.Solver("Radau" if self.stiff else "DOP853", rtol, rtol / 100)

    def only_p(self, whole: Array) -> Array:
        return np.asarray(whole)[: len(self.point.names)]


def interpolated(rtol: float, this: Prepared) -> Array:
    p, t0, T = this.at
    return ode.interpolated_adjoint(this.point.numeric, this.point.adjoint, p, t0, T, this.solver(rtol))


def backsolve(rtol: float, this: Prepared) -> Array:
    p, t0, T = this.at
    return ode.backsolved_adjoint(this.point.numeric, p, t0, T, this.solver(rtol), this.point.adjoint)


def sensitivities(rtol: float, this: Prepared) -> Array:
    p, t0, T = this.at
    if this.point.numeric.states * len(p) > 500:
        raise ArithmeticError("too many equations")
    return ode.forward_sensitivities(this.point.numeric, p, t0, T, this.solver(rtol))


def traceable(this: Prepared) -> ode.OdeProblem:
    """The problem in whole arrays, as somebody who uses autograd writes it."""
    if this.stiff:
        raise ArithmeticError("explicit steps, and the state solved backwards: not for a stiff problem")
    if "autograd" not in this.made:
        vector, library = this.case.vector, autodiff.LIBRARY
        this.made["autograd"] = replace(
            this.point.functions(library),
            field=lambda _t, u, p: vector(u, p, library),
            running=lambda _t, u, _p: 0.0 * u[0],
        )
    return this.made["autograd"]


def autograd_rk4(steps: int, this: Prepared) -> Array:
    return autodiff.discrete_adjoint(traceable(this), *this.at, steps)


def autograd_odeint(this: Prepared) -> Array:
    if survey(this.point).backwards > 12:
        raise ArithmeticError("solves the state backwards: no digit would be left")
    return autodiff.odeint_gradient(traceable(this), *this.at, 1e-10)


def differences(rtol: float, h: float, this: Prepared) -> Array:
    """One-sided, as scipy.optimize.approx_fprime makes them of a solve_ivp objective."""
    from scipy.optimize import approx_fprime

    p, t0, T = this.at
    numeric, solver = this.point.numeric, this.solver(rtol)

    def value(q: Array) -> float:
        end = solve_ivp(lambda t, u: numeric.field(t, u, q), (t0, T), numeric.initial(q), method=solver.method,
                        rtol=rtol, atol=rtol / 100).y[:, -1]  # fmt: skip
        return float(numeric.terminal(T, end, q))

    return approx_fprime(np.asarray(p, dtype=float), value, h)


def by_heyoka(this: Prepared) -> Array:
    if this.point.numeric.states * (this.point.numeric.states + len(this.point.names)) > 600:
        raise ArithmeticError("too long to compile")
    return heyoka.gradient(this.point, 1e-16)


def by_casadi(this: Prepared) -> Array:
    """CVODES with its reverse mode, tolerance 1e-10, quadratures under error control."""
    ca = import_module("casadi")

    if "casadi" not in this.made:
        n, m, (t0, T) = this.point.numeric.states, len(this.point.p), this.point.ends
        u, p = ca.SX.sym("u", n), ca.SX.sym("p", m)
        library = ca
        rate = this.case.field(ca.vertsplit(u), ca.vertsplit(p), library)
        system = {"x": u, "p": p, "ode": ca.vertcat(*rate)}
        options = {"abstol": 1e-12, "reltol": 1e-10, "quad_err_con": True, "max_num_steps": 200_000}
        solve = ca.integrator("solve", "cvodes", system, t0, T, options)
        q = ca.MX.sym("q", m)
        start = ca.Function("b", [p], [ca.vertcat(*this.case.initial(ca.vertsplit(p)))])(q)
        cost = ca.Function("g", [u], [this.case.terminal(ca.vertsplit(u))])
        value = cost(solve(x0=start, p=q)["xf"])
        this.made["casadi"] = ca.Function("gradient", [q], [ca.gradient(value, q)])
    return np.asarray(this.made["casadi"](this.point.p)).ravel()


def by_diffrax(this: Prepared) -> Array:
    """Dopri8 (Kvaerno5 where it is stiff), tolerance 1e-10, its default adjoint."""
    diffrax, jax, jnp = map(import_module, ("diffrax", "jax", "jax.numpy"))

    jax.config.update("jax_enable_x64", True)
    if "diffrax" not in this.made:
        t0, T = this.point.ends
        solver = diffrax.Kvaerno5() if this.stiff else diffrax.Dopri8()

        def value(p: Any) -> Any:
            rate = diffrax.ODETerm(lambda _t, u, q: this.case.vector(u, q, jnp))
            found = diffrax.diffeqsolve(
                rate, solver, t0, T, None, jnp.stack([x + 0 * p[0] for x in this.case.initial(list(p))]), args=p,
                stepsize_controller=diffrax.PIDController(rtol=1e-10, atol=1e-12), max_steps=20_000,
            )  # fmt: skip
            return this.case.terminal(list(found.ys[-1]))

        this.made["diffrax"] = jax.jit(jax.grad(value))
    return np.asarray(this.made["diffrax"](jnp.asarray(this.point.p)))


def by_torchdiffeq(this: Prepared) -> Array:
    """odeint_adjoint by dopri8, tolerance 1e-10."""
    torch, odeint_adjoint = import_module("torch"), import_module("torchdiffeq").odeint_adjoint

    t0, T = this.point.ends
    p = torch.tensor(this.point.p, dtype=torch.float64, requires_grad=True)

    def rate(_t: Any, u: Any) -> Any:
        return torch.stack(this.case.field(list(u), list(p), torch))

    start = torch.stack([x + 0 * p[0] for x in this.case.initial(list(p))])
    times = torch.tensor([t0, T], dtype=torch.float64)
    end = odeint_adjoint(rate, start, times, rtol=1e-10, atol=1e-12, method="dopri8", adjoint_params=(p,))[-1]
    this.case.terminal(list(end)).backward()
    return p.grad.numpy()


def ways() -> Iterator[tuple[str, Way]]:
    yield "ours, adjoint 1e-8", partial(interpolated, 1e-8)
    yield "ours, adjoint 1e-12", partial(interpolated, 1e-12)
    yield "ours, sensitivities 1e-12", partial(sensitivities, 1e-12)
    yield "ours, backsolve 1e-12", partial(backsolve, 1e-12)
    yield "autograd, 200 steps of RK4", partial(autograd_rk4, 200)
    yield "autograd, odeint", autograd_odeint
    yield "scipy, differences", partial(differences, 1e-8, 1e-6)
    for name, way in (
        ("heyoka", by_heyoka), ("casadi", by_casadi), ("diffrax", by_diffrax), ("torchdiffeq", by_torchdiffeq)
    ):  # fmt: skip
        if find_spec(name):
            yield name, way


def prepared(case: Case) -> Prepared:
    point = Point(case.problem, {name: float(x) for name, x in case.values.items()})
    return Prepared(case, point, survey(point).stiff)


def once(function: Callable[[], Any]) -> tuple[Any, float]:
    before = process_time()
    value = function()
    return value, process_time() - before


def forward_seconds(this: Prepared) -> float:
    p, t0, T = this.at
    numeric = this.point.numeric
    solver = this.solver(1e-8)

    def solve() -> Any:
        return solve_ivp(lambda t, u: numeric.field(t, u, p), (t0, T), numeric.initial(p), method=solver.method,
                         rtol=1e-8, atol=1e-10)  # fmt: skip

    solve()
    return min(once(solve)[1] for _ in range(3))


def proof(this: Prepared, seconds: float) -> tuple[Array | None, str, float]:
    """dG/dp from the enclosure, how wide it is, and what it cost; None with the reason where there is none."""
    at = {name: Fraction(float(x)) for name, x in zip(this.point.names, this.point.p, strict=True)}
    found, spent = once(lambda: enclose(this.case.problem, at, radius=1e-14, seconds=seconds))
    if not isinstance(found, Enclosure):
        return None, found.reason, spent
    return np.array([float(found.gradient[name]) for name in this.point.names]), f"{found.radius:.0e}", spent


def measure(case: Case, seconds: float) -> None:
    this = prepared(case)
    print(f"\n{case.name}: {this.point.numeric.states} states, {len(this.point.names)} parameters", flush=True)
    right, width, spent = proof(this, seconds)
    forward = forward_seconds(this)
    if right is None:
        print(f"  {'ours, exact':28}{'':>10}{spent:>10.3f}  no enclosure: {width}")
    else:
        print(f"  {'ours, exact':28}{width:>10}{spent:>10.3f}{spent / forward:>10.1f}")
    results: list[tuple[str, Array | None, float, str]] = []
    for name, way in ways():
        results.append(run(name, way, this))
    if right is None:
        right = next((g for name, g, *_ in results if name == "heyoka" and g is not None), None)
        right = results[1][1] if right is None else right
    mark = "" if width[:1].isdigit() else "~"
    for name, gradient, cost, reason in results:
        if gradient is None or right is None:
            print(f"  {name:28}{'':>10}{'':>10}{'':>10}  {reason}")
            continue
        error = float(np.linalg.norm(gradient - right) / np.linalg.norm(right))
        print(f"  {name:28}{mark + format(error, '.0e'):>10}{cost:>10.4f}{cost / forward:>10.1f}", flush=True)


def run(name: str, way: Way, this: Prepared) -> tuple[str, Array | None, float, str]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            found, first = once(lambda: this.only_p(way(this)))
            seconds = first if first > PATIENCE else once(lambda: way(this))[1]  # the first run may have compiled
        except Exception as reason:  # a peer may fail in any way, and that is its result
            return (
                name,
                None,
                0.0,
                f"{type(reason).__name__}: {str(reason).splitlines()[0][:70] if str(reason) else ''}",
            )
    if not np.isfinite(found).all():
        return name, None, seconds, "not finite"
    return name, found, seconds, ""


def cost_growth() -> None:
    """Seconds of one gradient over seconds of one forward solve, by the number of parameters."""
    print("\nGrowth: a gradient at 1e-8, in forward solves")
    cases = [prepared(case) for case in growth()]
    names = [len(this.point.names) for this in cases]
    print(f"  {'parameters':28}" + "".join(f"{m:>10}" for m in names))
    forward = [forward_seconds(this) for this in cases]
    chosen = dict(ways())
    for name in ("ours, adjoint 1e-8", "scipy, differences", *(peer for peer in PEERS if peer in chosen)):
        cells = []
        for this, base in zip(cases, forward, strict=True):
            if name == "scipy, differences" and len(this.point.p) > 200:  # one component of the many
                value = (len(this.point.p) + 1) * 1.0
                cells.append(f"{value:>9.0f}*")
                continue
            _, gradient, seconds, _ = run(name, chosen[name], this)
            cells.append(f"{'' if gradient is None else format(seconds / base, '.1f'):>10}")
        print(f"  {name:28}" + "".join(cells), flush=True)
    print("  * one solve for each parameter and one more, not run")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="problems whose names contain this")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each enclosure")
    options = parser.parse_args()
    missing = [peer for peer in PEERS if not find_spec(peer)]
    if missing:
        print(
            f"not installed, left out: {', '.join(missing)}  (pip install 'neural-ode-verify[peers]')", file=sys.stderr
        )
    print(f"{'':30}{'error':>10}{'CPU s':>10}{'forwards':>10}")
    for case in bank():
        if not options.only or any(text in case.name for text in options.only):
            measure(case, options.seconds)
    if not options.only or "growth" in options.only:
        cost_growth()


if __name__ == "__main__":
    main()
