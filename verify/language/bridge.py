"""How do SymPy expressions become graphs, and graphs SymPy expressions?  The one converter between the two.

An abstract function at its arguments, f(x), and its partial derivatives there become free symbols: an identity that
holds for free values f(x), f'(x), … holds for every smooth f, and one that fails for some values fails for some f.
That needs two things which are checked: symbols that stand for different values have different names, and two
arguments of one abstract function are either the same or provably different.  What has no counterpart is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from verify import graph
from verify.claim import Variable
from verify.functions import VARIADIC, function
from verify.graph import TRUE, Node, postorder
from verify.language.abstract import Names, NoCounterpart, partial_orders
from verify.language.names import CONSTANTS

_SAME_NAMES = """
    exp log sin cos tan cot sec csc sinh cosh tanh coth sech csch
    asin acos atan acot asec acsc asinh acosh atanh acoth asech acsch atan2 sign floor
    erf erfc erfi erfinv erfcinv fresnels fresnelc Ei li Si Ci Shi Chi expint
    gamma loggamma digamma polygamma factorial beta uppergamma lowergamma zeta polylog LambertW
    besselj bessely besseli besselk airyai airybi airyaiprime airybiprime
    elliptic_k elliptic_e elliptic_f elliptic_pi chebyshevt chebyshevu legendre hermite bernoulli
"""
#: Functions by their names here and in SymPy; argument orders and branches agree (tested against mpmath).
SYMPY_NAMES = {"abs": "Abs", "ceil": "ceiling", "max": "Max", "min": "Min"} | {n: n for n in _SAME_NAMES.split()}
NAMES_OF_SYMPY = {theirs: ours for ours, theirs in SYMPY_NAMES.items()}

_RELATIONS = {"<": "Lt", "<=": "Le", ">": "Gt", ">=": "Ge", "=": "Eq", "!=": "Ne"}
_RELATION_SIGNS = {
    "StrictLessThan": "<", "LessThan": "<=", "StrictGreaterThan": ">", "GreaterThan": ">=", "Equality": "=",
    "Unequality": "!=",
}  # fmt: skip
_NUMBERS = {"pi": "Pi", "E": "Exp1", "EulerGamma": "EulerGamma", "I": "ImaginaryUnit", "oo": "Infinity"}

#: SymPy multiplies out factorials, powers of numbers and polynomials when it meets them; beyond this it must not.
LARGEST_EVALUATED = 100
MOST_BITS = 100_000

#: Of a number such as exp(exp(100)), SymPy would compute all digits in front of the point.
_COMPARING = ("floor", "ceil", "sign", "abs", "max", "min")


@dataclass(frozen=True)
class Converted:
    """Graph nodes, and what their symbols stand for: SymPy symbols, abstract functions and their derivatives."""

    nodes: tuple[Node, ...]
    symbols: Mapping[str, Any]

    def variables(self) -> dict[str, Variable]:
        """The set that each symbol ranges over, from its SymPy assumptions; real where those say nothing."""
        return {name: _variable(name, expr) for name, expr in self.symbols.items()}


def from_sympy(expr: Any) -> Node:
    """The graph of one SymPy expression.

    Raises NoCounterpart.
    """
    return convert(expr).nodes[0]


def convert(*exprs: Any) -> Converted:
    """The graphs of SymPy expressions that share their symbols, such as the two sides of an identity.

    Raises NoCounterpart: for functions and numbers that the graph has not (floating-point numbers among them), for
    two symbols with one name, and where abstract functions would be differentiated (use `.doit()` before).
    """
    import sympy

    names = Names()
    done: dict[Any, Node] = {}
    return Converted(tuple(_node(sympy.sympify(expr, strict=True), names, done) for expr in exprs), names.symbols)


def to_sympy(node: Node, symbols: Mapping[str, Any] | None = None) -> Any:
    """The SymPy expression of a graph; `symbols` says what its names stand for, plain symbols by default.

    Raises NoCounterpart for a function that SymPy has not.
    """
    import sympy

    known = dict(symbols or {})
    done: dict[Node, Any] = {}
    for part in postorder(node):
        done[part] = _expression(part, [done[arg] for arg in part.args], known, sympy)
    return done[node]


# --- SymPy to graph ---------------------------------------------------------------------------


def _node(expr: Any, names: Names, done: dict[Any, Node]) -> Node:
    node = done.get(expr)
    if node is None:
        node = done[expr] = _convert(expr, names, done)
    return node


def _convert(expr: Any, names: Names, done: dict[Any, Node]) -> Node:
    import sympy

    def nodes(args: Iterable[Any]) -> list[Node]:
        return [_node(arg, names, done) for arg in args]

    if expr.is_commutative is False:
        raise NoCounterpart(f"{expr}: factors that do not commute are no numbers; take the entries one by one")
    if expr.is_Rational:
        return graph.num(Fraction(int(expr.p), int(expr.q)))
    if expr.is_Symbol or isinstance(expr, sympy.matrices.expressions.matexpr.MatrixElement | sympy.Indexed):
        return graph.symbol(names.of_symbol(expr))
    if expr.is_Add:
        return graph.add(*nodes(expr.args))
    if expr.is_Mul or expr.is_Pow:
        return _quotient(expr, nodes)
    if isinstance(expr, sympy.Piecewise):
        return graph.piecewise(*((_node(value, names, done), _node(where, names, done)) for value, where in expr.args))
    if expr.is_Relational:
        left, right = nodes(expr.args)
        return graph.compare(left, _RELATION_SIGNS[type(expr).__name__], right)
    if isinstance(expr, sympy.And | sympy.Or):
        return (graph.both if isinstance(expr, sympy.And) else graph.either)(*nodes(sorted(expr.args, key=str)))
    if expr is sympy.true:
        return TRUE
    if isinstance(expr, sympy.core.function.AppliedUndef):
        return graph.symbol(names.of_value(expr.func, [0] * len(expr.args), expr.args, expr))
    if isinstance(expr, sympy.Derivative):
        return _derivative(expr, names, done)
    if isinstance(expr, sympy.Subs):
        return _substituted(expr, names, done)
    if isinstance(expr, sympy.core.function.Application):
        return _call(expr, nodes, sympy)
    for name, theirs in _NUMBERS.items():
        if type(expr).__name__ == theirs:
            return CONSTANTS[name]
    if expr is sympy.S.NegativeInfinity:
        return graph.neg(CONSTANTS["oo"])
    if expr.is_Float:
        raise NoCounterpart(f"{expr}: a floating-point number is not exact; write Rational('{float(expr)!r}')")
    raise NoCounterpart(f"{expr}: {type(expr).__name__} has no counterpart in the expression graph")


def _quotient(expr: Any, nodes: Any) -> Node:
    """x/y^2, where SymPy has x*y^(-2): the same function, and readable."""
    above: list[Node] = []
    below: list[Node] = []
    for factor in expr.args if expr.is_Mul else [expr]:
        if factor.is_Rational:
            above += [graph.num(int(factor.p))] if factor.p != 1 else []
            below += [graph.num(int(factor.q))] if factor.q != 1 else []
        elif not factor.is_Pow:
            above += nodes([factor])
        elif factor.exp.is_Rational and factor.exp < 0:
            below.append(graph.power(*nodes([factor.base, -factor.exp])))
        else:
            above.append(graph.power(*nodes(factor.args)))
    return graph.mul(*above, *([graph.power(graph.mul(*below), graph.MINUS_ONE)] if below else []))


def _call(expr: Any, nodes: Any, sympy: Any) -> Node:
    name, args = type(expr).__name__, expr.args
    if isinstance(expr, sympy.hyper):
        upper, lower, z = args
        return _known(f"hyp{len(upper)}f{len(lower)}", nodes([*upper, *lower, z]), expr)
    if isinstance(expr, sympy.polygamma) and args[0] == 0:
        return graph.call("digamma", *nodes(args[1:]))
    if isinstance(expr, sympy.Heaviside):
        # Undefined at the jump, where its value is a matter of taste.
        (x,) = nodes(args[:1])
        zero, one = graph.ZERO, graph.ONE
        return graph.piecewise((zero, graph.compare(x, "<", zero)), (one, graph.compare(x, ">", zero)))
    if name not in NAMES_OF_SYMPY or type(expr) is not getattr(sympy, name):
        raise NoCounterpart(f"{expr}: the function {name} is not in the table of functions")
    return _known(NAMES_OF_SYMPY[name], nodes(args), expr)


def _known(name: str, args: list[Node], expr: Any) -> Node:
    if name not in VARIADIC and function(name, len(args)) is None:
        raise NoCounterpart(f"{expr}: {name} with {len(args)} arguments is not in the table of functions")
    return graph.call(name, *args)


def _derivative(expr: Any, names: Names, done: dict[Any, Node]) -> Node:
    """A partial derivative of an abstract function is a free symbol; of anything else, an operator."""
    from sympy.core.function import AppliedUndef

    body, variables = expr.expr, expr.variable_count
    if isinstance(body, AppliedUndef):
        orders = partial_orders(body.args, variables)
        if orders is None:
            raise NoCounterpart(f"{expr}: apply .doit() first, so that the chain rule is in the open")
        return graph.symbol(names.of_value(body.func, orders, body.args, expr))
    node = _node(body, names, done)
    for variable, order in variables:
        if any(value != variable and value.has(variable) for value in body.atoms(AppliedUndef)):
            raise NoCounterpart(f"{expr}: it hides derivatives of abstract functions; apply .doit() first")
        if not order.is_Integer:
            raise NoCounterpart(f"{expr}: the order of a derivative is a number")
        node = graph.derivative(node, _node(variable, names, done).value, int(order))
    return node


def _substituted(expr: Any, names: Names, done: dict[Any, Node]) -> Node:
    """A derivative of an abstract function at another point than its variable, as SymPy's chain rule leaves it."""
    from sympy import Derivative
    from sympy.core.function import AppliedUndef

    body, replaced = expr.expr, dict(zip(expr.variables, expr.point, strict=True))
    if isinstance(body, Derivative) and isinstance(body.expr, AppliedUndef):
        orders = partial_orders(body.expr.args, body.variable_count)
        if orders is not None:
            there = [argument.subs(replaced, simultaneous=True) for argument in body.expr.args]
            return graph.symbol(names.of_value(body.expr.func, orders, there, expr))
    evaluated = expr.doit()
    if evaluated == expr:
        raise NoCounterpart(f"{expr}: a substitution that SymPy leaves undone; apply .doit() first")
    return _node(evaluated, names, done)


# --- graph to SymPy ---------------------------------------------------------------------------


def _expression(node: Node, args: list[Any], symbols: dict[str, Any], sympy: Any) -> Any:
    match node.op:
        case "num":
            return sympy.Rational(node.value.numerator, node.value.denominator)
        case "symbol":
            return symbols.setdefault(node.value, sympy.Symbol(node.value))
        case "constant":
            return getattr(sympy.S, _NUMBERS[node.value])
        case "add":
            return sympy.Add(*args)
        case "mul":
            return sympy.Mul(*args)
        case "pow":
            return _sympy_power(*args, sympy)
        case "call":
            return _sympy_call(node, args, sympy)
        case "derivative":
            name, order = node.value
            return sympy.Derivative(args[0], (symbols.setdefault(name, sympy.Symbol(name)), order))
        case "piecewise":
            return sympy.Piecewise(*zip(args[::2], args[1::2], strict=True))
        case "compare":
            return getattr(sympy, _RELATIONS[node.value])(*args)
        case "and":
            return sympy.And(*args)
        case "or":
            return sympy.Or(*args)
        case "true":
            return sympy.true
    raise NoCounterpart(f"the operator {node.op!r} has no counterpart in SymPy")


def _sympy_power(base: Any, exponent: Any, sympy: Any) -> Any:
    bits = max(base.p.bit_length(), base.q.bit_length()) if base.is_Rational else 0
    if exponent.is_Integer and bits * abs(exponent) > MOST_BITS:
        raise NoCounterpart(f"({base})^{exponent} is too large: SymPy would multiply it out")
    return sympy.Pow(base, exponent, evaluate=not (base.is_number and _is_large(exponent)))


def _sympy_call(node: Node, args: list[Any], sympy: Any) -> Any:
    name = node.value
    evaluate = not any(_is_large(arg) or (name in _COMPARING and arg.is_number) for arg in args)
    if name.startswith("hyp") and function(name, len(args)) is not None:
        p, q = int(name[3]), int(name[5])
        return sympy.hyper(args[:p], args[p : p + q], args[-1])
    if name not in SYMPY_NAMES:
        raise NoCounterpart(f"the function {name} has no counterpart in SymPy")
    return getattr(sympy, SYMPY_NAMES[name])(*args, **({} if evaluate else {"evaluate": False}))


def _is_large(expr: Any) -> bool:
    return bool(expr.is_Rational and max(abs(expr.p), expr.q) > LARGEST_EVALUATED)


# --- symbols and what is known of them --------------------------------------------------------


def sympy_symbols(variables: Iterable[Variable]) -> dict[str, Any]:
    """SymPy symbols that know what is declared of the variables, by name."""
    from sympy import Symbol

    found = {}
    for v in variables:
        assumptions = {v.field: True} if v.field != "complex" else {"complex": True}
        if v.low is not None and v.low.op == "num" and v.low.value >= 0:
            closed = v.closed_low and v.low.value == 0
            assumptions["nonnegative" if closed else "positive"] = True
        if v.high is not None and v.high.op == "num" and v.high.value <= 0:
            closed = v.closed_high and v.high.value == 0
            assumptions["nonpositive" if closed else "negative"] = True
        found[v.name] = Symbol(v.name, **assumptions)
    return found


def _variable(name: str, expr: Any) -> Variable:
    if expr.is_complex and not expr.is_real:
        return Variable(name, "complex")
    low = graph.ZERO if expr.is_nonnegative else None
    high = graph.ZERO if expr.is_nonpositive else None
    return Variable(
        name,
        "integer" if expr.is_integer else "real",
        low,
        high,
        closed_low=low is not None and not expr.is_positive,
        closed_high=high is not None and not expr.is_negative,
    )
