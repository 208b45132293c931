"""Which gradients through ODEs are measured?  Problems as lists of expressions that every library can evaluate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from verify.graph import Node, add, call, mul, num, symbol
from verify.systems import OdeProblem

Entries = Sequence[Any]


@dataclass(frozen=True)
class Case:
    """A problem twice: over the graph, and as lists of expressions in whatever a library calls a number.

    field      (u, p, library) to u', a list; the library has tanh.
    initial    p to u(0); terminal: u(T) to G.
    vector     u', and
    start      u(0), and
    cost       G, as whoever uses a library like NumPy writes them, with arrays.
    """

    name: str
    problem: OdeProblem
    values: Mapping[str, Fraction]
    field: Callable[[Entries, Entries, Any], list[Any]]
    initial: Callable[[Entries], list[Any]]
    terminal: Callable[[Entries], Any]
    vector: Callable[[Any, Any, Any], Any]
    start: Callable[[Any, Any], Any]
    cost: Callable[[Any, Any], Any]


@dataclass(frozen=True)
class _Number:
    """A node with the arithmetic that expressions are written in."""

    node: Node

    def __add__(self, other: Any) -> _Number:
        return _Number(add(self.node, _bare(other)))

    def __mul__(self, other: Any) -> _Number:
        return _Number(mul(self.node, _bare(other)))

    def __sub__(self, other: Any) -> _Number:
        return self + _Number(mul(num(-1), _bare(other)))

    def __rsub__(self, other: Any) -> _Number:
        return _Number(_bare(other)) - self

    def __neg__(self) -> _Number:
        return self * -1

    __radd__, __rmul__ = __add__, __mul__


def _bare(x: Any) -> Node:
    return x.node if isinstance(x, _Number) else num(Fraction(x))


class _Library:
    @staticmethod
    def tanh(x: Any) -> _Number:
        return _Number(call("tanh", _bare(x)))


def _case(
    name: str, states: int, values: Any, T: float, field: Any, initial: Any, terminal: Any, vector: Any = None,
    start: Any = None, cost: Any = None,
) -> Case:  # fmt: skip
    u, p = tuple(f"u{i}" for i in range(states)), tuple(f"p{j}" for j in range(len(values)))
    U, P = ([_Number(symbol(each)) for each in names] for names in (u, p))
    problem = OdeProblem(
        u, p, tuple(map(_bare, field(U, P, _Library))), tuple(map(_bare, initial(P))), num(0), num(Fraction(T)),
        _bare(terminal(U)),
    )  # fmt: skip
    at = {q: Fraction(float(x)) for q, x in zip(p, values, strict=True)}
    vector = vector or _stacked(field)
    start = start or (lambda p, library: library.array([x + 0 * p[0] for x in initial(p)]))
    return Case(name, problem, at, field, initial, terminal, vector, start, cost or (lambda u, _: terminal(u)))


def _sum(terms: Any) -> Any:
    first, *rest = terms
    for term in rest:
        first = first + term
    return first


def _stacked(field: Any) -> Any:
    return lambda u, p, library: library.array(field(u, p, library))


def linear(n: int, m: int, seed: int) -> Case:
    """A(p) = A0 + sum of (p_k + p_k^2/4) S_k, u(0) = B0 + sum of p_k^2 C_k, G = u(T)' Q u(T)/2, T = 3/2."""
    rng = np.random.default_rng(seed)
    A0 = np.round(rng.standard_normal((n, n)) / np.sqrt(n) - 0.3 * np.eye(n), 3)
    S = np.round(rng.standard_normal((m, n, n)) * (rng.random((m, n, n)) < min(0.4, 4 / n)) / np.sqrt(n), 3)
    B0, C = np.round(rng.standard_normal(n), 3), np.round(rng.standard_normal((m, n)), 3)
    Q = np.round(rng.standard_normal((n, n)), 3)
    Q = (Q + Q.T) / 2

    def field(u: Entries, p: Entries, _library: Any) -> list[Any]:
        weights = [q + q * q * 0.25 for q in p]

        def entry(i: int, j: int) -> Any:
            return _sum([weights[k] * float(S[k, i, j]) for k in range(m) if S[k, i, j]] + [float(A0[i, j])])

        return [_sum(u[j] * entry(i, j) for j in range(n)) for i in range(n)]

    def initial(p: Entries) -> list[Any]:
        squares = [q * q for q in p]
        return [_sum(squares[k] * float(C[k, i]) for k in range(m)) + float(B0[i]) for i in range(n)]

    def terminal(u: Entries) -> Any:
        return _sum(u[i] * u[j] * float(0.5 * Q[i, j]) for i in range(n) for j in range(n))

    def vector(u: Any, p: Any, library: Any) -> Any:
        return (library.tensordot(p + p * p * 0.25, library.asarray(S), axes=1) + library.asarray(A0)) @ u

    def start(p: Any, library: Any) -> Any:
        return library.tensordot(p * p, library.asarray(C), axes=1) + library.asarray(B0)

    def cost(u: Any, library: Any) -> Any:
        return 0.5 * u @ (library.asarray(Q) @ u)

    values = np.round(rng.uniform(-1, 1, m), 3)
    return _case(f"linear {n}", n, values, 1.5, field, initial, terminal, vector, start, cost)


def lotka_volterra() -> Case:
    def field(u: Entries, p: Entries, _library: Any) -> list[Any]:
        return [p[0] * u[0] - p[1] * u[0] * u[1], p[3] * u[0] * u[1] - p[2] * u[1]]

    def terminal(u: Entries) -> Any:
        return (u[0] - 2.0) * (u[0] - 2.0) * 0.5 + (u[1] - 1.0) * (u[1] - 1.0) * 0.5

    return _case("Lotka-Volterra", 2, (1.5, 1, 3, 1), 10, field, lambda p: [p[0] * 0 + 1.0, p[0] * 0 + 1.0], terminal)


def van_der_pol(mu: float, T: float) -> Case:
    def field(u: Entries, p: Entries, _library: Any) -> list[Any]:
        return [u[1] + p[0] * 0, p[0] * (1.0 - u[0] * u[0]) * u[1] - u[0]]

    def terminal(u: Entries) -> Any:
        return (u[0] - 1.0) * (u[0] - 1.0) * 0.5 + u[1] * u[1] * 0.5

    return _case(f"Van der Pol {mu:g}", 2, (mu, 2, 0), T, field, lambda p: [p[1] + 0.0, p[2] + 0.0], terminal)


def network(d: int, h: int, T: float = 2.0, seed: int = 3) -> Case:
    """u' = W2 tanh(W1 u + b1) + b2 in d dimensions with h hidden units; G is half the squared distance to a target."""
    rng = np.random.default_rng(seed)
    sizes = ((h, d, 1.2 / np.sqrt(d)), (h, 1, 0.3), (d, h, 1.2 / np.sqrt(h)), (d, 1, 0.1))
    values = np.round(np.concatenate([(rng.standard_normal((a, b)) * s).ravel() for a, b, s in sizes]), 3)
    start, target = np.round(rng.standard_normal((2, d)), 3)
    at = np.cumsum([0, h * d, h, d * h])

    def field(u: Entries, p: Entries, library: Any) -> list[Any]:
        W1, b1, W2, b2 = (p[at[0] : at[1]], p[at[1] : at[2]], p[at[2] : at[3]], p[at[3] :])
        hidden = [library.tanh(_sum(W1[j * d + k] * u[k] for k in range(d)) + b1[j]) for j in range(h)]
        return [_sum(W2[i * h + j] * hidden[j] for j in range(h)) + b2[i] for i in range(d)]

    def terminal(u: Entries) -> Any:
        return _sum((u[i] - float(target[i])) * (u[i] - float(target[i])) * 0.5 for i in range(d))

    def vector(u: Any, p: Any, library: Any) -> Any:
        W1, W2 = library.reshape(p[at[0] : at[1]], (h, d)), library.reshape(p[at[2] : at[3]], (d, h))
        return W2 @ library.tanh(W1 @ u + p[at[1] : at[2]]) + p[at[3] :]

    def cost(u: Any, library: Any) -> Any:
        away = u - library.asarray(target)
        return 0.5 * away @ away

    def initial(p: Entries) -> list[Any]:
        return [p[0] * 0 + float(x) for x in start]

    def whole(p: Any, library: Any) -> Any:
        return library.asarray(start) + 0 * p[0]

    return _case(f"network {len(values)}", d, values, T, field, initial, terminal, vector, whole, cost)


def flow(d: int = 2, units: int = 4, seed: int = 5) -> Case:
    """z' = sum of u_k tanh(w_k z + b_k), l' = -trace; G = log N(z(T); 0, I) - l(T), up to its constant."""
    rng = np.random.default_rng(seed)
    values = np.round(rng.standard_normal(units * (2 * d + 1)), 3)
    start = np.round(rng.standard_normal(d), 3)

    def field(y: Entries, p: Entries, library: Any) -> list[Any]:
        u, w, b = p[: units * d], p[units * d : 2 * units * d], p[2 * units * d :]
        H = [library.tanh(_sum(w[k * d + i] * y[i] for i in range(d)) + b[k]) for k in range(units)]
        rate = [_sum(u[k * d + i] * H[k] for k in range(units)) for i in range(d)]
        inner = [_sum(u[k * d + i] * w[k * d + i] for i in range(d)) for k in range(units)]
        return [*rate, -_sum((1.0 - H[k] * H[k]) * inner[k] for k in range(units))]

    def terminal(y: Entries) -> Any:
        return -_sum(y[i] * y[i] * 0.5 for i in range(d)) - y[d]

    def vector(y: Any, p: Any, library: Any) -> Any:
        u, w = (library.reshape(p[i * units * d : (i + 1) * units * d], (units, d)) for i in range(2))
        H = library.tanh(w @ y[:d] + p[2 * units * d :])
        return library.append(H @ u, -library.sum((1 - H * H) * library.sum(u * w, axis=1)))

    def initial(p: Entries) -> list[Any]:
        return [p[0] * 0 + float(x) for x in (*start, 0)]

    return _case("planar flow", d + 1, values, 1, field, initial, terminal, vector)


def bank() -> Iterator[Case]:
    yield linear(2, 3, 11)
    yield linear(5, 6, 12)
    yield linear(20, 20, 13)
    yield lotka_volterra()
    yield van_der_pol(5, 10)
    yield flow()
    yield network(8, 16)
    yield van_der_pol(1000, 1200)


def growth() -> Iterator[Case]:
    for h in (2, 20, 200):
        yield network(2, h)
