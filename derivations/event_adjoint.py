"""The adjoint through an event: the state is reset when it gets somewhere, and when that is depends on p.

    state       u' = f_1(t, u, p),  u(t0) = b(p),  until phi(t, u, p) = 0: there is the event, at t = tau
                u(tau+) = r(tau, u(tau-), p),  and then  u' = f_2(t, u, p)  until T
    objective   G = g(T, u(T), p) + k(tau, u(tau-), p) + integral of l_1 over [t0, tau] and of l_2 over [tau, T]

    event time  tau_p = -(phi_u s + phi_p)/D,   D = phi_t + phi_u f_1
    tangent     s(tau+) = r_u s + r_p + w tau_p,   w = r_t + r_u f_1 - f_2
    delay       eta = l_1 - l_2 + k_t + k_u f_1 + lam^T w
    adjoint     lam(tau-)^T = lam^T r_u + k_u - (eta/D) phi_u
    gradient    dG/dp has lam^T r_p + k_p - (eta/D) phi_p more

Here s = u_p just before the event, lam is the adjoint just after it, and all is taken just before it, but f_2 and l_2
just after it.  Between events, and at t0 and T, everything is as without events.

The sensitivity jumps for two reasons: the state is mapped by r, and another p has its event at another time, and moves
in between with f_2 in the place of f_1.  The adjoint jumps for the same two.  eta = dG/dtau is what G would gain from a
delay of the event, and -phi_u/D is the delay that a change of the state before it brings about.  lam(tau-) is the one
choice for which s drops out: with R the p-derivative of the cost so far and q the part of the gradient still to come,
R + lam^T s + q changes neither between events nor at them.

At the kink of a relu f_1 = f_2, l_1 = l_2, r = u and k = 0, so that eta = 0: nothing jumps.  Where D = 0 the path
touches phi = 0 without crossing it, and tau has no derivative.  H = l + lam^T f.

Sign: lam = +dG/du.  Layout: Jacobians have a row for each output, gradients are rows, s has M columns, lam is a column;
^T transposes.  The example is a neuron that fires at a moving threshold.
"""

from dataclasses import replace

from sympy import ImmutableMatrix, Integer, Rational, Symbol, integrate, latex, sqrt, symbols

from verify import Derivation, Display, Hypothesis, Mutant, Reference, Statement, Step
from verify.calculus import adjoint, event_jump, families
from verify.calculus.second_order import along
from verify.decide.words import derive, identity, matrices, substitute
from verify.derivation import main
from verify.numerics import costs, event_routes
from verify.numerics.counting import count

# --- any number N of states and M of parameters -------------------------------------------------

l_1, l_2, k_t, phi_t, D = matrices("l_1 l_2 k_t phi_t D", 1, 1)
k_u, phi_u, l_u = matrices("k_u phi_u l_u", 1, "N")
k_p, phi_p, tau_p, l_p, R, q = matrices("k_p phi_p tau_p l_p R q", 1, "M")
f_1, f_2, r_t, lam = matrices("f_1 f_2 r_t lam", "N", 1)
r_u, f_u = matrices("r_u f_u", "N", "N")
r_p, f_p, s = matrices("r_p f_p s", "N", "M")


def at_event(by_t, by_u, by_p):
    """The derivative by p of a function of (tau, u(tau-), p): u moves with s, and along f_1 as tau does."""
    return by_t @ tau_p + by_u @ (s + f_1 @ tau_p) + by_p


w = r_t + r_u @ f_1 - f_2
eta = l_1 - l_2 + k_t + k_u @ f_1 + lam.T @ w
share = eta @ D.inverse
before = lam.T @ r_u + k_u - share @ phi_u  # lam(tau-)^T
gain = lam.T @ r_p + k_p - share @ phi_p
after = at_event(r_t, r_u, r_p) - f_2 @ tau_p  # s(tau+)
spent = (l_1 - l_2) @ tau_p + at_event(k_t, k_u, k_p)  # what R gains
moving = {tau_p: -(D.inverse @ (phi_u @ s + phi_p))}
crossing = {phi_t: D - phi_u @ f_1}
PHI = r"\left(\phi_t + \phi_u f_1\right)\tau_p + \phi_u s = -\phi_p"
TANGENT = r"s(\tau^+) = r_t\,\tau_p + r_u\left(s + f_1\tau_p\right) + r_p - f_2\,\tau_p"
SALTATION = r"s(\tau^+) = \left(r_u - \tfrac{1}{D} w\,\phi_u\right)s + r_p - \tfrac{1}{D} w\,\phi_p"
MOVED = r"\lambda^{\top} s(\tau^+) + \Delta R = "
DELAY = MOVED + r"\left(\lambda^{\top} r_u + k_u\right)s + \lambda^{\top} r_p + k_p + \eta\,\tau_p"
CHOICE = MOVED + r"\lambda(\tau^-)^{\top} s + \lambda^{\top} r_p + k_p - \tfrac{\eta}{D}\phi_p"
HAMILTONIAN = r"H(\tau^-) = H(\tau^+) - k_t - \lambda^{\top} r_t + \tfrac{\eta}{D}\phi_t"
FIXED = r"\phi_u = 0:\quad \lambda(\tau^-)^{\top} = \lambda^{\top} r_u + k_u"
SWITCH = r"\lambda(\tau^-)^{\top} = \lambda^{\top}\left(I + \tfrac{1}{D}\left(f_2 - f_1\right)\phi_u\right)"


def steps():
    implicit = "the implicit function theorem: Krantz, Parks (2002), theorem 3.3.1; the flow: Hartman (1964), V.3.1"
    event = r"\phi(\tau(p), u(\tau(p)^-, p), p) = 0"
    yield Step("tau and the paths on both sides are differentiable in p", tau_p, tau_p, cited=implicit, display=event)
    rates = {s: f_u @ s + f_p, lam: -(f_u.T @ lam) - l_u.T, R: l_p + l_u @ s, q: -l_p - lam.T @ f_p}
    yield Step("between events R + lam^T s + q does not change", derive(R + lam.T @ s + q, rates), 0)
    zero = substitute(at_event(phi_t, phi_u, 0 * phi_p), {**moving, **crossing})
    yield Step("phi is 0 at the event for every p: this is tau_p", zero, -phi_p, display=PHI)
    yield Step("u just after is r for every p: the tangent jumps", after, r_u @ s + r_p + w @ tau_p, display=TANGENT)
    saltation = (r_u - w @ D.inverse @ phi_u) @ s + r_p - w @ D.inverse @ phi_p
    yield Step("with tau_p in it: the saltation matrix", substitute(after, moving), saltation, display=SALTATION)
    total = lam.T @ after + spent
    collected = (lam.T @ r_u + k_u) @ s + lam.T @ r_p + k_p + eta @ tau_p
    yield Step("tau moves G at the rate eta", total, collected, display=DELAY)
    yield Step("lam just before takes all of s", substitute(total, moving), before @ s + gain, display=CHOICE)
    H = substitute(l_2 + lam.T @ f_2 - k_t - lam.T @ r_t + share @ phi_t, crossing)
    yield Step("H jumps only where phi, k or r name the time", l_1 + before @ f_1, H, display=HAMILTONIAN)
    clock = substitute(before, {k_t: identity(1), k_u: 0 * k_u, lam: 0 * lam, l_1: 0 * l_1, l_2: 0 * l_2})
    yield Step("G = tau: k = t alone", clock, -(D.inverse @ phi_u), display=r"\tau_u = -\tfrac{1}{D}\phi_u")
    yield Step("an event at a fixed time", substitute(before, {phi_u: 0 * phi_u}), lam.T @ r_u + k_u, display=FIXED)
    switch = substitute(before, {r_u: identity("N"), r_t: 0 * r_t, k_t: 0 * k_t, k_u: 0 * k_u, l_1: l_2})
    switched = lam.T @ (identity("N") + (f_2 - f_1) @ D.inverse @ phi_u)
    yield Step("a right-hand side that switches, r = u", switch, switched, display=SWITCH)
    yield Step("a kink, f_1 = f_2", substitute(switch, {f_2: f_1}), lam.T, display=r"\lambda(\tau^-) = \lambda(\tau^+)")
    for n, m in ((1, 1), (2, 1), (2, 2)):
        yield from in_coordinates(n, m)
    yield from closed_forms()
    yield from counts()


def counts():
    """What each way does at the event, counted while it does it."""
    N, M = symbols("N M", positive=True, integer=True)
    of_lam, of_s = 2 * N**2 + N * M + 4 * N + M + 1, N**2 * M + 4 * N * M + 2 * M + N
    for way, run, formula in (("lam", costs.adjoint_at_event, of_lam), ("s", costs.tangent_at_event, of_s)):
        shown = rf"\#_{{\times}} = {latex(formula)}"
        yield Step(f"multiplications for the jump of {way}, counted", count(run, N, M), formula, display=shown)


def in_coordinates(n, m):
    """For n states and m parameters, with undefined functions for everything: a column of s at a time."""
    jump, smooth = event_jump.adjoint_jump(P := event_jump.generic_event_problem(n, m)), P.before
    s = ImmutableMatrix([Symbol(f"s_{i + 1}", real=True) for i in range(n)])
    lam, f_2, l_2 = ImmutableMatrix(jump.costate), P.just_after(P.field), P.just_after(P.running)
    for j, p_j in enumerate(smooth.parameters):
        tau_p = -along(P.when, {**dict(zip(smooth.state, s.flat(), strict=True)), p_j: Integer(1)}) / P.crossing
        u_p = dict(zip(smooth.state, (s + smooth.field * tau_p).flat(), strict=True))
        on_phi, moving = along(P.when, {smooth.time: tau_p, **u_p}), {smooth.time: tau_p, **u_p, p_j: Integer(1)}
        says = f"N = {n}, M = {m}, by parameter {j + 1}"
        yield Step(f"phi stays 0, {says}", on_phi, -P.when.diff(p_j), display=PHI)
        total = (lam.T * (along(P.reset, moving) - f_2 * tau_p))[0] + along(P.cost, moving)
        carried = (jump.before.T * s)[0] + jump.gain[j]
        yield Step(f"lam takes all of s, {says}", total + (smooth.running - l_2) * tau_p, carried, display=CHOICE)


# --- two problems with closed solutions -----------------------------------------------------------

ball, gear = families.bouncing_ball(), families.changed_gear()
(y, v), (h, a, e), t = ball.before.state, ball.before.parameters, ball.before.time
t0, T = symbols("t0 T", positive=True)
tau = sqrt(2 * h / a)
y_T = e * a * tau * (T - tau) - a * (T - tau) ** 2 / 2
bounce = event_jump.numeric_event_problem(ball)
WRONG = {slip.name: event_jump.numeric_jump(ball, slip.system) for slip in event_jump.slips(ball)}
SAYS = "A ball falls from h = 1/2 with a = 1 and bounces once, with e = 1/2: how far the routes are off for G = y(7/4)."
EXACT = {"h": Rational(5, 8), "a": -Rational(7, 32), "e": Rational(3, 4)}


def ball_gradient(jump):
    """(dy(T)/dh, dy(T)/da, dy(T)/de) by a claimed jump: lam = (1, T - t) after the bounce, the same line before it."""
    at = {t: tau, y: 0, v: -a * tau, **dict(zip(jump.costate, (1, T - tau), strict=True))}
    (lam_y, lam_v), gain = jump.before.subs(at), jump.gain.subs(at)
    by_a = -integrate(T - t, (t, tau, T)) - integrate(lam_v + lam_y * (tau - t), (t, 0, tau))
    return ImmutableMatrix([lam_y + gain[0], by_a + gain[1], gain[2]])


def closed_forms():
    """The gradient by the jump against the derivative of what is known."""
    right = ImmutableMatrix([y_T.diff(p) for p in (h, a, e)])
    shown = r"y(T) = e a \tau\left(T - \tau\right) - \tfrac{a}{2}\left(T - \tau\right)^2,\quad \tau = \sqrt{2h/a}"
    yield Step("a bouncing ball: h, a, e", ball_gradient(event_jump.adjoint_jump(ball)), right, display=shown)
    of_tau = event_jump.adjoint_jump(replace(ball, cost=t))
    by_height = of_tau.before[0].subs({v: -a * tau, **dict.fromkeys(of_tau.costate, 0)})
    yield Step("the time of its bounce by height", by_height, tau.diff(h), display=r"\tau_h = \frac{1}{a\tau}")
    jump, c = event_jump.adjoint_jump(gear), gear.before.parameters[0]
    shown = r"x(T) = 2T - c,\quad \frac{d}{dc}\,x(T) = -1"
    yield Step("x' = 1 until x = c, then 2", jump.gain[0].subs(jump.costate[0], 1), (2 * T - c).diff(c), display=shown)


# --- a neuron -------------------------------------------------------------------------------------

neuron = families.firing_neuron()
p = neuron.before.parameters
BOX, SHORTEST = dict.fromkeys(p, (-1, 1)), 2.5
numeric = event_jump.numeric_event_problem(neuron)


def gradient_by(jump):
    claimed = event_jump.numeric_jump(neuron, jump)
    return lambda p, t0, T: event_routes.jumping_adjoint(numeric, claimed, p, t0, T)


gradient = gradient_by(event_jump.adjoint_jump(neuron))


def cases(rng):
    """In the box where the event is known to happen; phi, r and k depend on all that they may depend on."""
    while True:
        start = rng.uniform(0.1, 0.5)
        p = rng.uniform(0.3, 0.8, 3) * rng.choice([-1, 1], 3)
        yield {"p": p, "t0": start, "T": start + rng.uniform(SHORTEST, 3)}


derivation = Derivation(
    statement=Statement(
        name="event-adjoint",
        title="The adjoint through an event",
        says="Where a path is reset, or its equation changes, at a time that depends on the parameters, the adjoint "
        "jumps; one backward solve through the jump still gives the gradient by all parameters.",
        displays=(
            Display("event", r"\phi(\tau, u(\tau^-), p) = 0,\qquad u(\tau^+) = r(\tau, u(\tau^-), p)"),
            Display("event time", r"\tau_p = -\frac{\phi_u s + \phi_p}{D},\qquad D = \phi_t + \phi_u f_1"),
            Display("delay", r"\eta = \frac{dG}{d\tau} = \ell_1 - \ell_2 + k_t + k_u f_1"
                    r" + \lambda(\tau^+)^{\top}\left(r_t + r_u f_1 - f_2\right)"),
            Display("adjoint", r"\lambda(\tau^-)^{\top} = \lambda(\tau^+)^{\top} r_u + k_u - \frac{\eta}{D}\phi_u"),
            Display("gradient", r"\frac{dG}{dp} = g_p + \lambda(t_0)^{\top} b_p + \lambda(\tau^+)^{\top} r_p + k_p"
                    r" - \frac{\eta}{D}\phi_p + \int_{t_0}^{T}\left(\ell_p + \lambda^{\top} f_p\right)dt"),
        ),
        convention="λ = +∂G/∂u, a column; f_2 and l_2 are taken just after the event, all else just before it",
        source=("hiskens-pai-2000", "chen-amos-nickel-2021", "krantz-parks-2002", "hartman-1964"),
    ),
    steps=steps,
    hypotheses=(
        Hypothesis("f, b, l, g, phi, r and k are continuously differentiable", lambda: event_jump.smoothness(neuron)),
        Hypothesis("the solution exists on both sides: f_1 and f_2 are globally Lipschitz in u",
                   lambda: adjoint.lipschitz(neuron.before, neuron.after)),
        Hypothesis("the event happens before T, and the path crosses phi = 0 there: D is not 0",
                   lambda: event_jump.happens_once(neuron, BOX, SHORTEST)),
        Hypothesis("where r = u the path does not slide: the switch goes on in the same direction",
                   lambda: event_jump.passes_through(gear)),
    ),
    reference=Reference(event_jump.gradient_expression(neuron, t0, Symbol("tau"), T), (*p, t0, T), (7,), gradient),
    cases=cases,
    routes=event_routes.routes(numeric),
    mutants=(
        *(Mutant(slip.name, slip.says, gradient_by(slip.system), slip.blind) for slip in event_jump.slips(neuron)),
        Mutant("factor", "1 + 1e-6 times the truth", lambda **case: (1 + 1e-6) * gradient(**case)),
    ),
    figure=lambda: event_routes.errors_by_time(bounce, WRONG, (0.5, 1.0, 0.8), 0.0, (1, 2.6)),
    example=lambda: event_routes.worked(bounce, (0.5, 1.0, 0.5), 0.0, 1.75, EXACT, SAYS),
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main(derivation))
