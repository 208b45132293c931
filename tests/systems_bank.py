"""Which systems are right, and which slip is in the others?  A bank: problems, right claims, and what people write instead.

A base is a problem with a right claim, part by part.  A row changes some parts; what it does not change stays right.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Parts = dict[str, str]


@dataclass(frozen=True)
class Base:
    head: str
    claim: Parts
    """By "adjoint l1", "terminal l1", "gradient a"; the equations of an implicit problem by "adjoint 1", …."""

    def toml(self, changes: Parts | None = None) -> str:
        parts = {name: text for name, text in {**self.claim, **(changes or {})}.items() if text}
        lines = [self.head.strip(), "[claim]"]
        for table in ("adjoint", "terminal", "gradient"):
            own = {name.split(" ", 1)[1]: text for name, text in parts.items() if name.split(" ", 1)[0] == table}
            if not own:
                continue
            if all(key.isdigit() for key in own):
                lines.append(f"{table} = [{', '.join(repr(text) for text in own.values())}]")
            else:
                lines.append(f"{table} = {{ {', '.join(f'{key!r} = {text!r}' for key, text in own.items())} }}")
        return "\n".join(lines) + "\n"


def ode(
    state: str, parameters: str, rhs: str, initial: str, time: str, terminal: str, running: str, let: str = ""
) -> str:
    def listed(text: str) -> str:
        return "[" + ", ".join(f'"{part.strip()}"' for part in text.split(";")) + "]"

    lines = [
        'kind = "ode-gradient"', f"let = {{ {let} }}", "[ode]", f"state = {listed(state)}",
        f"parameters = {listed(parameters)}", f"rhs = {listed(rhs)}", f"initial = {listed(initial)}",
        f"time = {listed(time)}", "[objective]",
    ]  # fmt: skip
    lines += [f'terminal = "{terminal}"'] * bool(terminal) + [f'running = "{running}"'] * bool(running)
    return "\n".join(lines)


def implicit(state: str, parameters: str, residual: str, value: str, let: str = "") -> str:
    def listed(text: str) -> str:
        return "[" + ", ".join(f'"{part.strip()}"' for part in text.split(";")) + "]"

    return (f'kind = "implicit-gradient"\nlet = {{ {let} }}\n[implicit]\nstate = {listed(state)}\n'
            f'parameters = {listed(parameters)}\nresidual = {listed(residual)}\n[objective]\nvalue = "{value}"')  # fmt: skip


def recurrence(state: str, parameters: str, step: str, initial: str, steps: str, value: str) -> str:
    def listed(text: str) -> str:
        return "[" + ", ".join(f'"{part.strip()}"' for part in text.split(";")) + "]"

    return (f'kind = "recurrence-gradient"\n[recurrence]\nstate = {listed(state)}\nparameters = {listed(parameters)}\n'
            f"step = {listed(step)}\ninitial = {listed(initial)}\nsteps = {steps}\n[objective]\nvalue = \"{value}\"")  # fmt: skip


AB = 'a = "interval(0.5, 2)", b = "interval(0.5, 2)", T = "interval(1, 2)"'
PT = 'p = "interval(0.5, 2)", T = "interval(1, 2)"'

BASES = {
    # non-autonomous, both costs with parameters, x0(p), a Jacobian that is not symmetric
    "full": Base(
        ode("u; v", "a; b", "-u*v + a*sin(t); u - b*v^2", "a^2; b", "0; T", "u*v + a*u", "u^2*b + t*v", AB),
        {
            "adjoint l1": "v*l1 - l2 - 2*u*b", "adjoint l2": "u*l1 + 2*b*v*l2 - t",
            "terminal l1": "v + a", "terminal l2": "u",
            "gradient a": "u(T) + 2*a*l1(0) + int(l1*sin(t), t, 0, T)",
            "gradient b": "l2(0) + int(u^2 - l2*v^2, t, 0, T)",
            "gradient T": "b*u(T)^2 + T*v(T) + l1(T)*(a*sin(T) - u(T)*v(T)) + l2(T)*(u(T) - b*v(T)^2)",
            "gradient t0": "-(a^4*b + l1(0)*(-a^2*b) + l2(0)*(a^2 - b^3))",
            "gradient u(0)": "l1(0)",
        },
    ),
    "lotka-volterra": Base(
        ode("u; v", "a; b", "a*u - u*v; b*u*v - v", "1; a", "0; T", "u^2", "0", AB),
        {
            "adjoint l1": "-(a - v)*l1 - b*v*l2", "adjoint l2": "u*l1 - (b*u - 1)*l2",
            "terminal l1": "2*u", "terminal l2": "0",
            "gradient a": "int(l1*u, t, 0, T) + l2(0)", "gradient b": "int(l2*u*v, t, 0, T)",
            "gradient T": "2*u(T)*(a*u(T) - u(T)*v(T))",
        },
    ),
    "growth": Base(
        ode("u", "p", "p*u", "1", "0; T", "u^2/2", "", PT),
        {"adjoint l1": "-p*l1", "terminal l1": "u", "gradient p": "int(l1*u, t, 0, T)"},
    ),
    "running": Base(
        ode("u", "p", "-p*u + sin(t)", "p", "0; T", "", "u^2", PT),
        {"adjoint l1": "p*l1 - 2*u", "terminal l1": "0", "gradient p": "l1(0) - int(l1*u, t, 0, T)"},
    ),
    "pendulum": Base(
        ode("q; w", "k; c", "w; -k*sin(q) - c*w", "c; 0", "0; T", "q^2 + k*w", "w^2/2",
            'k = "interval(0.5, 2)", c = "interval(0.1, 1)", T = "interval(1, 2)"'),
        {
            "adjoint l1": "k*cos(q)*l2", "adjoint l2": "-l1 + c*l2 - w", "terminal l1": "2*q", "terminal l2": "k",
            "gradient k": "w(T) - int(l2*sin(q), t, 0, T)", "gradient c": "l1(0) - int(l2*w, t, 0, T)",
        },
    ),
    "logistic": Base(
        ode("x", "r; K", "r*x*(1 - x/K)", "K/4", "1; 2", "x", "r*x", 'r = "interval(0.5, 2)", K = "interval(1, 3)"'),
        {
            "adjoint l1": "-r*(1 - 2*x/K)*l1 - r", "terminal l1": "1",
            "gradient r": "int(x + l1*x*(1 - x/K), t, 1, 2)", "gradient K": "l1(1)/4 + int(l1*r*x^2/K^2, t, 1, 2)",
        },
    ),
    "neuron": Base(
        ode("x; y", "w; b", "tanh(w*x + b*y); x - y", "w; 1", "0; T", "x*y", "", 'T = "interval(0.5, 1.5)"'),
        {
            "adjoint l1": "-w*(1 - tanh(w*x + b*y)^2)*l1 - l2", "adjoint l2": "-b*(1 - tanh(w*x + b*y)^2)*l1 + l2",
            "terminal l1": "y", "terminal l2": "x",
            "gradient w": "l1(0) + int(l1*x*(1 - tanh(w*x + b*y)^2), t, 0, T)",
            "gradient b": "int(l1*y*(1 - tanh(w*x + b*y)^2), t, 0, T)",
        },
    ),
    "moving-end": Base(
        ode("u", "p", "-u + t", "p", "0; 2*p", "u^2", "", 'p = "interval(0.5, 1)"'),
        {"adjoint l1": "l1", "terminal l1": "2*u", "gradient p": "l1(0) + 2*2*u(T)*(2*p - u(T))"},
    ),
    "cubic": Base(
        implicit("u", "p", "u^3 + u - p", "u^2 + p"),
        {"adjoint 1": "(3*u^2 + 1)*l1 = 2*u", "gradient p": "1 + l1"},
    ),
    "linear": Base(
        implicit("u; v", "a; b", "a*u + 2*v - b; u*b + 3*v - 1", "u*v + a", 'a = "positive"'),
        {
            "adjoint 1": "a*l1 + b*l2 = v", "adjoint 2": "2*l1 + 3*l2 = u",
            "gradient a": "1 - l1*u", "gradient b": "l1 - l2*u",
        },
    ),
    "wave": Base(
        implicit("u", "p; q", "u + sin(u)/2 - p*q", "exp(u) + q"),
        {"adjoint 1": "(1 + cos(u)/2)*l1 = exp(u)", "gradient p": "l1*q", "gradient q": "1 + l1*p"},
    ),
    "map": Base(
        recurrence("x", "p", "p*x*(1 - x)", "p/2", '"n"', "x^2"),
        {
            "adjoint l1": "l1[k+1]*p*(1 - 2*x[k])", "terminal l1": "2*x[n]",
            "gradient p": "l1[0]/2 + sum(l1[k]*x[k-1]*(1 - x[k-1]), k, 1, n)",
        },
    ),
    "rotation": Base(
        recurrence("x; y", "a; b", "a*x - y^2; x + b*k*y", "1; a", '"n"', "x*y + b"),
        {
            "adjoint l1": "a*l1[k+1] + l2[k+1]", "adjoint l2": "-2*y[k]*l1[k+1] + b*(k+1)*l2[k+1]",
            "terminal l1": "y[n]", "terminal l2": "x[n]",
            "gradient a": "l2[0] + sum(l1[k]*x[k-1], k, 1, n)", "gradient b": "1 + sum(k*l2[k]*y[k-1], k, 1, n)",
        },
    ),
    "three": Base(
        recurrence("x", "h", "x + h*sin(x)", "1", "3", "x"),
        {
            "adjoint l1": "(1 + h*cos(x[k]))*l1[k+1]", "terminal l1": "1",
            "gradient h": "sum(l1[k]*sin(x[k-1]), k, 1, 3)",
        },
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    base: str
    changes: Parts = field(default_factory=dict)
    slip: str = ""
    """Empty where the system is right."""
    also: tuple[str, ...] = ()
    """Other names that the slip may well be given."""

    @property
    def name(self) -> str:
        return f"{self.base}: {self.slip or 'right'} {', '.join(self.changes)}"

    @property
    def toml(self) -> str:
        return BASES[self.base].toml(self.changes)


ONLY_P = {"adjoint l1": "", "terminal l1": ""}
RIGHT = [
    *(Row(name) for name in BASES),
    # another sign
    Row("growth", {"terminal l1": "-u", "gradient p": "-int(l1*u, t, 0, T)"}),
    Row("running", {"adjoint l1": "p*l1 + 2*u", "gradient p": "int(l1*u, t, 0, T) - l1(0)"}),
    Row("lotka-volterra", {"terminal l1": "-2*u", "gradient a": "-l2(0) + int(l1*u, t, T, 0)",
                           "gradient b": "int(l2*u*v, t, T, 0)"}),
    Row("cubic", {"adjoint 1": "(3*u^2 + 1)*l1 = -2*u", "gradient p": "1 - l1"}),
    Row("linear", {"adjoint 1": "-v = a*l1 + b*l2", "adjoint 2": "-u = 2*l1 + 3*l2", "gradient a": "1 + u*l1",
                   "gradient b": "l2*u - l1"}),
    Row("map", {"terminal l1": "-2*x[n]", "gradient p": "-l1[0]/2 - sum(l1[k]*x[k-1]*(1 - x[k-1]), k, 1, n)"}),
    # scaled
    Row("growth", {"terminal l1": "u/2", "gradient p": "2*int(l1*u, t, 0, T)"}),
    Row("growth", {"terminal l1": "p*u", "gradient p": "int(l1*u, t, 0, T)/p"}),
    Row("cubic", {"adjoint 1": "(3*u^2 + 1)*l1 = u", "gradient p": "1 + 2*l1"}),
    # another order of the adjoints
    Row("linear", {"adjoint 1": "a*l2 + b*l1 = v", "adjoint 2": "2*l2 + 3*l1 = u", "gradient a": "1 - l2*u",
                   "gradient b": "l2 - l1*u"}),
    Row("neuron", {"adjoint l2": "-w*(1 - tanh(w*x + b*y)^2)*l2 - l1", "adjoint l1": "-b*(1 - tanh(w*x + b*y)^2)*l2 + l1",
                   "terminal l2": "y", "terminal l1": "x",
                   "gradient w": "l2(0) + int(l2*x*(1 - tanh(w*x + b*y)^2), t, 0, T)",
                   "gradient b": "int(l2*y*(1 - tanh(w*x + b*y)^2), t, 0, T)"}),
    # reversed time
    Row("running", {"adjoint l1": "-p*l1 + 2*u(T - t)", "gradient p": "l1(T) - int(l1*u(T - t), t, 0, T)"}),
    Row("running", {"adjoint l1": "-p*l1 + 2*u(T - t)", "gradient p": "l1(T) - int(l1(T - t)*u, t, 0, T)"}),
    # other forms of the same gradient
    Row("growth", {"gradient p": "T*l1(0)*u(0)"}),
    Row("growth", {"gradient p": "T*l1(0)"}),
    Row("growth", {"gradient p": "T*u(T)^2"}),
    Row("growth", {"gradient p": "T*exp(2*p*T)"}),
    Row("growth", {**ONLY_P, "gradient p": "T*exp(2*p*T)"}),
    Row("lotka-volterra", {"gradient T": "l1(0)*(a - a) + l2(0)*(b*a - a)"}),
    Row("wave", {"gradient p": "q*exp(u)/(1 + cos(u)/2)"}),
    Row("cubic", {"gradient p": "1 + 2*u^2/(3*u^3 + u)"}),
    Row("cubic", {"gradient p": "1 + 2*u^2/(3*p - 2*u)"}),
    Row("map", {"gradient p": "l1[0]/2 + sum(l1[k+1]*x[k]*(1 - x[k]), k, 0, n - 1)"}),
    Row("map", {"gradient p": "l1[0]/2 + sum(l1[i]*x[i]/p, i, 1, n)"}),
    # parts of a claim
    Row("growth", {"gradient p": ""}),
    Row("map", ONLY_P),
    Row("full", {"adjoint l1": "", "terminal l2": "", "gradient b": ""}),
]  # fmt: skip

WRONG = [
    Row("full", {"adjoint l1": "-v*l1 - l2 - 2*u*b"}, "sign"),
    Row("full", {"adjoint l1": "-v*l1 + l2 + 2*u*b", "adjoint l2": "-u*l1 - 2*b*v*l2 + t"}, "sign"),
    Row("full", {"adjoint l1": "v*l1 - l2 + 2*u*b"}, "sign"),
    Row("full", {"adjoint l1": "v*l1 - l2"}, "missing-term"),
    Row("full", {"adjoint l1": "v*l1 + u*l2 - 2*u*b", "adjoint l2": "-l1 + 2*b*v*l2 - t"}, "transpose"),
    Row("full", {"adjoint l2": "u*l1 + b*v*l2 - t"}, "factor"),
    Row("full", {"terminal l1": "-v - a"}, "sign"),
    Row("full", {"terminal l1": "v"}, "missing-term"),
    Row("full", {"terminal l1": "0", "terminal l2": "0"}, "boundary", ("missing-term",)),
    Row("full", {"terminal l2": "2*u"}, "factor"),
    Row("full", {"gradient a": "u(T) + int(l1*sin(t), t, 0, T)"}, "boundary"),
    Row("full", {"gradient a": "2*a*l1(0) + int(l1*sin(t), t, 0, T)"}, "missing-term"),
    Row("full", {"gradient a": "u(T) + a*l1(0) + int(l1*sin(t), t, 0, T)"}, "factor"),
    Row("full", {"gradient a": "u(T) + 2*a*l1(T) + int(l1*sin(t), t, 0, T)"}, "boundary"),
    Row("full", {"gradient b": "l2(0) - int(l2*v^2, t, 0, T)"}, "missing-term"),
    Row("full", {"gradient b": "l2(0) + int(-u^2 - l2*v^2, t, 0, T)"}, "sign"),
    Row("full", {"gradient b": "l2(0) + int(u^2 - l2*v^2, t, T, 0)"}, "limits"),
    Row("full", {"gradient b": "l2(0) + int(u^2 + l2*v^2, t, 0, T)"}, "sign"),
    Row("full", {"gradient T": "l1(T)*(a*sin(T) - u(T)*v(T)) + l2(T)*(u(T) - b*v(T)^2)"}, "time", ("missing-term",)),
    Row("full", {"gradient t0": "a^4*b - l1(0)*a^2*b + l2(0)*(a^2 - b^3)"}, "time", ("sign",)),
    Row("full", {"gradient u(0)": "-l1(0)"}, "sign"),
    Row("lotka-volterra", {"gradient a": "int(l1*u, t, 0, T)"}, "boundary"),
    Row("lotka-volterra", {"adjoint l1": "-(a - v)*l1 + u*l2", "adjoint l2": "-b*v*l1 - (b*u - 1)*l2"}, "transpose"),
    Row("lotka-volterra", {"gradient T": "-2*u(T)*(a*u(T) - u(T)*v(T))"}, "time", ("sign",)),
    Row("growth", {"adjoint l1": "p*l1"}, "sign"),
    Row("growth", {"gradient p": "-int(l1*u, t, 0, T)"}, "sign"),
    Row("growth", {"gradient p": "exp(2*p*T)"}, "", ()),
    Row("growth", {**ONLY_P, "gradient p": "T*exp(p*T)"}, "", ()),
    Row("growth", {"gradient p": "T*l1(0)*u(T)"}, "", ()),
    Row("running", {"terminal l1": "2*u"}, "boundary", ("missing-term",)),
    Row("running", {"adjoint l1": "p*l1 + 2*u"}, "sign"),
    Row("running", {"gradient p": "-int(l1*u, t, 0, T)"}, "boundary"),
    Row("pendulum", {"adjoint l1": "-k*cos(q)*l2"}, "sign"),
    Row("pendulum", {"adjoint l1": "k*sin(q)*l2"}, "function", ("factor", "other", "missing-factor")),
    Row("pendulum", {"gradient k": "-int(l2*sin(q), t, 0, T)"}, "missing-term"),
    Row("logistic", {"adjoint l1": "-r*(1 - x/K)*l1 - r"}, "factor"),
    Row("logistic", {"gradient K": "int(l1*r*x^2/K^2, t, 1, 2)"}, "boundary"),
    Row("neuron", {"adjoint l1": "-w*(1 - tanh(w*x + b*y)^2)*l1 - b*(1 - tanh(w*x + b*y)^2)*l2",
                   "adjoint l2": "-l1 + l2"}, "transpose"),
    Row("moving-end", {"gradient p": "l1(0)"}, "time", ("missing-term", "boundary")),
    Row("cubic", {"adjoint 1": "(3*u^2 + 1)*l1 = -2*u"}, "sign"),
    Row("cubic", {"gradient p": "l1"}, "missing-term"),
    Row("cubic", {"gradient p": "1 + 1.000000001*l1"}, "", ()),
    Row("linear", {"adjoint 1": "a*l1 + 2*l2 = v", "adjoint 2": "b*l1 + 3*l2 = u"}, "transpose"),
    Row("linear", {"gradient a": "1 + l1*u"}, "sign"),
    Row("linear", {"gradient b": "-l2*u"}, "missing-term"),
    Row("wave", {"gradient q": "l1*p"}, "missing-term"),
    Row("wave", {"adjoint 1": "(1 - cos(u)/2)*l1 = exp(u)"}, "sign"),
    Row("map", {"adjoint l1": "l1[k+1]*p*(1 - 2*x[k+1])"}, "index"),
    Row("map", {"terminal l1": "x[n]"}, "factor"),
    Row("map", {"gradient p": "sum(l1[k]*x[k-1]*(1 - x[k-1]), k, 1, n)"}, "boundary"),
    Row("map", {"gradient p": "l1[0]/2 + sum(l1[k-1]*x[k-1]*(1 - x[k-1]), k, 1, n)"}, "index"),
    Row("map", {"gradient p": "l1[0]/2 + sum(l1[k]*x[k-1]*(1 - x[k-1]), k, 1, n - 1)"}, "limits"),
    Row("rotation", {"adjoint l1": "a*l1[k+1] - 2*y[k]*l2[k+1]", "adjoint l2": "l1[k+1] + b*(k+1)*l2[k+1]"}, "transpose"),
    Row("rotation", {"adjoint l2": "-2*y[k]*l1[k+1] + b*k*l2[k+1]"}, "index", ("other", "missing-term", "factor")),
    Row("rotation", {"gradient b": "sum(k*l2[k]*y[k-1], k, 1, n)"}, "missing-term"),
    Row("three", {"gradient h": "sum(l1[k]*sin(x[k]), k, 1, 3)"}, "index"),
    Row("three", {"adjoint l1": "(1 - h*cos(x[k]))*l1[k+1]"}, "sign"),
]  # fmt: skip
