"""What is an expression?  A node of a hash-consed graph: equal expressions are the same object.

A node has an operator, its arguments (nodes) and a payload that is not a node:

    op           args                         value
    num          ()                           Fraction
    symbol       ()                           the name
    constant     ()                           'pi', 'E', 'EulerGamma', 'I', 'oo'
    add, mul     two or more terms, factors   None
    pow          (base, exponent)             None
    call         the arguments                the function's name
    derivative   (body,)                      (variable's name, order >= 1)
    piecewise    value, condition, …          None; a last condition `true` is 'otherwise'
    compare      (left, right)                '<', '<=', '>', '>=', '=', '!='
    and, or      conditions                   None
    true         ()                           None

Vectors and matrices use the same nodes: `add`, `mul` and `pow` are then sums, products and powers of matrices (the
factors keep their order, a scalar may stand anywhere among them), `call` is a scalar function of each entry of a
vector or a function of matrices (`MATRIX_FUNCTIONS`), `derivative` acts on each entry.  `verify.shapes` says which.
What numbers do not have:

    op            args                         value
    matrix_entry  the entries, row by row      (function, n, i, j): an entry of a function of an n×n matrix, from 0
    transpose     (matrix,)                    None
    hadamard      two or more factors          None; entry by entry, a scalar factor multiplies every entry
    hadamard_pow  (base, exponent)             None; entry by entry
    gradient      (scalar,)                    the vector's or matrix's name; the shape is the variable's
    jacobian      (scalar or vector,)          the vector's name; a row for each output
    hessian       (scalar,)                    the vector's name
    divergence    (vector,)                    the vector's name
    index         (vector, i), (matrix, i, j)  None; counted from 1
    sum           (body, low, high)            the name of the index, a symbol that is bound in the body
    abstract      the arguments                (name, orders): a declared function, vector or matrix there,
                                               differentiated so often by each argument

Integrals and expectations, of numbers as of vectors, bind a name as a sum does:

    op            args                         value
    integral      (body, low, high)            the name of the variable of integration
    expectation   (body, parameters of a law)  (name, law), as in x ~ normal(mu, sigma): see `LAWS`

Nothing is simplified when a node is built, except arithmetic between numbers: an expression keeps
what its author wrote, together with the places where that is undefined.  Since sharing is free, the size
of an expression is the number of its distinct nodes (`size`), not the length of its text.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any
from weakref import WeakValueDictionary

Number = int | Fraction

#: Functions of vectors and matrices and their numbers of arguments; sizes are arguments of `eye` and `ones`.
MATRIX_FUNCTIONS = {
    "inv": (1,), "det": (1,), "logdet": (1,), "tr": (1,), "expm": (1,), "logm": (1,), "diag": (1,), "norm": (1, 2),
    "dot": (2,), "outer": (2,), "kron": (2,), "softmax": (1,), "logsumexp": (1,), "eye": (1,), "ones": (1, 2),
    "sum": (1,),
}  # fmt: skip
#: Operators that only vectors, matrices and abstract functions have.
SHAPED_OPERATORS = frozenset({
    "transpose", "hadamard", "hadamard_pow", "gradient", "jacobian", "hessian", "divergence", "index", "sum",
    "abstract",
})  # fmt: skip

#: Operators that bind a continuous variable.
INTEGRALS = frozenset({"integral", "expectation"})
#: Laws of random variables and how many parameters they have: mean and standard deviation (for vectors the
#: covariance), the ends of the interval, the rate.
LAWS = {"normal": 2, "uniform": 2, "exponential": 1}

#: Bits that a number folded at construction may have; larger powers stay unevaluated.
LARGEST_FOLDED_BITS = 4096


class Node:
    """One expression; made by the functions below, never directly, so that `is` is equality."""

    __slots__ = ("__weakref__", "args", "binds", "integrates", "op", "value")

    op: str
    args: tuple[Node, ...]
    value: Any
    binds: bool
    """Whether a sum, an integral or an expectation occurs in it; `integrates`: one of the latter two."""
    integrates: bool

    def __add__(self, other: Node | Number) -> Node:
        return add(self, as_node(other))

    def __radd__(self, other: Number) -> Node:
        return add(as_node(other), self)

    def __sub__(self, other: Node | Number) -> Node:
        return add(self, neg(as_node(other)))

    def __rsub__(self, other: Number) -> Node:
        return add(as_node(other), neg(self))

    def __mul__(self, other: Node | Number) -> Node:
        return mul(self, as_node(other))

    def __rmul__(self, other: Number) -> Node:
        return mul(as_node(other), self)

    def __truediv__(self, other: Node | Number) -> Node:
        return div(self, as_node(other))

    def __rtruediv__(self, other: Number) -> Node:
        return div(as_node(other), self)

    def __pow__(self, other: Node | Number) -> Node:
        return power(self, as_node(other))

    def __neg__(self) -> Node:
        return neg(self)

    def __repr__(self) -> str:
        from verify.language.write import write

        return f"<{write(self)}>"

    def __reduce__(self) -> tuple[Callable[..., Node], tuple[Any, ...]]:
        return _intern, (self.op, self.args, self.value)


_interned: WeakValueDictionary[tuple[Any, ...], Node] = WeakValueDictionary()


def _intern(op: str, args: tuple[Node, ...], value: Any = None) -> Node:
    # A fraction takes a modular inverse to be hashed, its two integers do not.
    key = (op, value.as_integer_ratio() if op == "num" else value, *map(id, args))
    node = _interned.get(key)
    if node is None:
        node = Node()
        node.op, node.args, node.value = op, args, value
        node.integrates, node.binds = op in INTEGRALS, op in INTEGRALS or op == "sum"
        for arg in args:
            if arg.binds:
                node.binds, node.integrates = True, node.integrates or arg.integrates
        _interned[key] = node
    return node


# --- leaves -----------------------------------------------------------------------------------


def num(value: Number) -> Node:
    """An exact number."""
    return _intern("num", (), value if type(value) is Fraction else Fraction(value))


def symbol(name: str) -> Node:
    """A variable or parameter."""
    return _intern("symbol", (), name)


def constant(name: str) -> Node:
    """pi, E, EulerGamma, I or oo."""
    return _intern("constant", (), name)


ZERO, ONE, MINUS_ONE, HALF = num(0), num(1), num(-1), num(Fraction(1, 2))
PI, E, I = constant("pi"), constant("E"), constant("I")
TRUE = _intern("true", ())


def as_node(value: Node | Number) -> Node:
    """`value` itself, or the number as a node."""
    return value if isinstance(value, Node) else num(value)


# --- operators --------------------------------------------------------------------------------


def add(*terms: Node) -> Node:
    """Sum of the terms in their order; numbers with numbers are added up when nothing else is there."""
    if _are_numbers(terms):
        return num(sum((t.value for t in terms), Fraction(0)))
    if ZERO in terms:
        terms = tuple(t for t in terms if t is not ZERO)
    return terms[0] if len(terms) == 1 else _intern("add", terms)


def _are_numbers(nodes: tuple[Node, ...]) -> bool:
    # The last one first: a number that is not alone stands in front.
    return not nodes or (nodes[-1].op == "num" and all(node.op == "num" for node in nodes))


def mul(*factors: Node) -> Node:
    """Product of the factors in their order; a factor 0 stays (0*log(x) is undefined where log(x) is)."""
    if _are_numbers(factors):
        product = Fraction(1)
        for f in factors:
            product *= f.value
        return num(product)
    if ONE in factors:
        factors = tuple(f for f in factors if f is not ONE)
    return factors[0] if len(factors) == 1 else _intern("mul", factors)


def neg(term: Node) -> Node:
    """-term."""
    return mul(MINUS_ONE, term)


def power(base: Node, exponent: Node) -> Node:
    """base^exponent; an integer power of a number is folded while it stays small."""
    if exponent is ONE:
        return base
    if base.op == exponent.op == "num" and exponent.value.denominator == 1:
        bits = max(base.value.numerator.bit_length(), base.value.denominator.bit_length())
        if bits * abs(exponent.value) <= LARGEST_FOLDED_BITS and not (base is ZERO and exponent.value < 0):
            return num(base.value ** int(exponent.value))
    return _intern("pow", (base, exponent))


def div(numerator: Node, denominator: Node) -> Node:
    """numerator / denominator, as a product with a power -1."""
    return mul(numerator, power(denominator, MINUS_ONE))


def sqrt(radicand: Node) -> Node:
    """The principal square root, radicand^(1/2)."""
    return power(radicand, HALF)


def call(name: str, *args: Node) -> Node:
    """A function of the table `verify.functions` (or a declared one) at its arguments."""
    return _intern("call", args, name)


def derivative(body: Node, variable: str, order: int = 1) -> Node:
    """The order-th partial derivative of `body` with respect to `variable`."""
    return _intern("derivative", (body,), (variable, order))


def piecewise(*pairs: tuple[Node, Node]) -> Node:
    """The value of the first pair whose condition holds; undefined where none does."""
    return _intern("piecewise", tuple(node for pair in pairs for node in pair))


def compare(left: Node, relation: str, right: Node) -> Node:
    """A condition; `relation` is one of '<', '<=', '>', '>=', '=', '!='."""
    return _intern("compare", (left, right), relation)


def both(*conditions: Node) -> Node:
    """All of the conditions."""
    return _intern("and", conditions)


def either(*conditions: Node) -> Node:
    """One of the conditions at least."""
    return _intern("or", conditions)


def transpose(matrix: Node) -> Node:
    """Rows and columns exchanged; twice is nothing."""
    return matrix.args[0] if matrix.op == "transpose" else _intern("transpose", (matrix,))


def hadamard(*factors: Node) -> Node:
    """Product entry by entry."""
    return _intern("hadamard", factors)


def hadamard_power(base: Node, exponent: Node) -> Node:
    """Power entry by entry."""
    return base if exponent is ONE else _intern("hadamard_pow", (base, exponent))


def by_vector(operator: str, body: Node, variable: str) -> Node:
    """The `gradient`, `jacobian`, `hessian` or `divergence` of the body with respect to a vector (or matrix)."""
    return _intern(operator, (body,), variable)


def entry(matrix: Node, *indices: Node) -> Node:
    """One entry; indices count from 1."""
    return _intern("index", (matrix, *indices))


def matrix_entry(function: str, entries: Iterable[Node], n: int, row: int, column: int) -> Node:
    """One entry of a function (`expm`) of the n×n matrix with these entries; rows and columns count from 0."""
    return _intern("matrix_entry", tuple(entries), (function, n, row, column))


def total(body: Node, name: str, low: Node, high: Node) -> Node:
    """The sum of the body over the whole numbers from low to high, called `name` in the body."""
    return _intern("sum", (body, low, high), name)


def integral(body: Node, name: str, low: Node, high: Node) -> Node:
    """The definite integral of the body over `name` from low to high."""
    return _intern("integral", (body, low, high), name)


def expectation(body: Node, name: str, law: str, *parameters: Node) -> Node:
    """The mean of the body where `name` is drawn from a law with these parameters, one of `LAWS`."""
    return _intern("expectation", (body, *parameters), (name, law))


def quadrature(payload: Hashable, *inputs: Node) -> Node:
    """A step of integration, which no text and no claim has: see `verify.decide.enclose.lower`."""
    return _intern("quadrature", inputs, payload)


def abstract(name: str, arguments: Iterable[Node], orders: Iterable[int] = ()) -> Node:
    """A declared function at its arguments, `orders` times differentiated by each of them (0 unless given)."""
    arguments = tuple(arguments)
    return _intern("abstract", arguments, (name, tuple(orders) or (0,) * len(arguments)))


# --- walking ----------------------------------------------------------------------------------


def postorder(*roots: Node, above_integrals: bool = False) -> Iterator[Node]:
    """Each node below the roots once, arguments before the nodes that use them; no recursion.

    above_integrals   without what stands under integrals and expectations (their limits and parameters count).
    """
    seen: set[Node] = set()
    stack = [(root, False) for root in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if ready:
            yield node
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            args = node.args[1:] if above_integrals and node.op in INTEGRALS else node.args
            stack.extend((arg, False) for arg in reversed(args) if arg not in seen)


def bound_name(node: Node) -> str | None:
    """The name that a sum, an integral or an expectation binds in its body, its first argument; else None."""
    match node.op:
        case "sum" | "integral":
            return node.value
        case "expectation":
            return node.value[0]
    return None


def surface(*roots: Node) -> Iterator[Node]:
    """As `postorder`, without what stands under integrals and expectations."""
    return postorder(*roots, above_integrals=True)


def has_integrals(*roots: Node) -> bool:
    """Whether an integral or an expectation occurs."""
    return any(root.integrates for root in roots)


def free_symbols(*roots: Node) -> frozenset[str]:
    """Names of all symbols that occur, those left out that sums, integrals and expectations bind."""
    if not any(root.binds for root in roots):
        return frozenset(node.value for node in postorder(*roots) if node.op == "symbol")
    free: dict[Node, frozenset[str]] = {}
    for node in postorder(*roots):
        if node.op == "symbol":
            free[node] = frozenset((node.value,))
        elif (name := bound_name(node)) is not None:
            body, *others = (free[arg] for arg in node.args)
            free[node] = (body - {name}).union(*others)
        else:
            free[node] = frozenset().union(*(free[arg] for arg in node.args))
    return frozenset().union(*(free[root] for root in roots))


def is_shaped(*roots: Node) -> bool:
    """Whether something occurs that only vectors, matrices and abstract functions have."""
    return any(
        node.op in SHAPED_OPERATORS or (node.op == "call" and node.value in MATRIX_FUNCTIONS)
        for node in postorder(*roots)
    )


def size(*roots: Node) -> int:
    """Number of distinct nodes."""
    return sum(1 for _ in postorder(*roots))


def rebuild(node: Node, args: Iterable[Node]) -> Node:
    """The same operator on other arguments (numbers are folded as when it was first built)."""
    args = tuple(args)
    if args == node.args:
        return node
    match node.op:
        case "add":
            return add(*args)
        case "mul":
            return mul(*args)
        case "pow":
            return power(*args)
        case "transpose":
            return transpose(*args)
        case _:
            return _intern(node.op, args, node.value)


def transform(root: Node, change: Callable[[Node], Node | None]) -> Node:
    """Rebuild bottom-up; `change` sees each rebuilt node and returns its replacement, or None to keep it."""
    done: dict[Node, Node] = {}
    for node in postorder(root):
        new = rebuild(node, (done[arg] for arg in node.args))
        changed = change(new)
        done[node] = new if changed is None else changed
    return done[root]


def substitute(root: Node, replacements: Mapping[Node, Node]) -> Node:
    """All occurrences of the keys replaced at once (the replacements are not searched again).

    What a sum, an integral or an expectation binds stays its own: there a key in its name is another thing, and a
    replacement in its name makes it take a new one.
    """
    if not replacements:
        return root
    if root.binds:
        return _substitute_free(root, dict(replacements))
    done: dict[Node, Node] = dict(replacements)
    for node in postorder(root):
        if node not in done:
            done[node] = rebuild(node, (done[arg] for arg in node.args))
    return done[root]


def _substitute_free(root: Node, replacements: dict[Node, Node]) -> Node:
    """As `substitute`, with a look at the names that are bound."""
    done: dict[Node, Node] = dict(replacements)
    stack = [root]
    while stack:
        node = stack[-1]
        if node in done:
            stack.pop()
            continue
        name = bound_name(node)
        waiting = [arg for arg in node.args[name is not None :] if arg not in done]
        if waiting:
            stack += waiting[::-1]
            continue
        stack.pop()
        if name is None:
            done[node] = rebuild(node, (done[arg] for arg in node.args))
        else:
            new, body = _substitute_bound(node.args[0], name, replacements)
            value = (new, node.value[1]) if node.op == "expectation" else new
            done[node] = _intern(node.op, (body, *(done[arg] for arg in node.args[1:])), value)
    return done[root]


def _substitute_bound(body: Node, name: str, replacements: Mapping[Node, Node]) -> tuple[str, Node]:
    """The body under a binder of `name` with its free occurrences replaced, and what is bound now."""
    inside = set(postorder(body))
    inner = {key: new for key, new in replacements.items() if key in inside and name not in free_symbols(key)}
    if not inner:
        return name, body
    if name in free_symbols(*inner.values()):
        fresh = fresh_name(name, free_symbols(body, *inner, *inner.values()))
        body = renamed(body, name, fresh)
        name = fresh
    return name, substitute(body, inner)


def renamed(root: Node, name: str, new: str) -> Node:
    """A free symbol under another name that does not occur yet, also where it is differentiated by."""
    done: dict[Node, Node] = {symbol(name): symbol(new)}
    for node in postorder(root):
        if node in done:
            continue
        if name == bound_name(node):
            done[node] = rebuild(node, (node.args[0], *(done[arg] for arg in node.args[1:])))
        elif node.op == "derivative" and node.value[0] == name:
            done[node] = derivative(done[node.args[0]], new, node.value[1])
        elif node.op in ("gradient", "jacobian", "hessian", "divergence") and node.value == name:
            done[node] = by_vector(node.op, done[node.args[0]], new)
        else:
            done[node] = rebuild(node, (done[arg] for arg in node.args))
    return done[root]


def fresh_name(name: str, taken: Iterable[str]) -> str:
    """`name`, or else the first of name_1, name_2, … that is not taken."""
    taken = set(taken)
    if name not in taken:
        return name
    k = 1
    while f"{name}_{k}" in taken:
        k += 1
    return f"{name}_{k}"
