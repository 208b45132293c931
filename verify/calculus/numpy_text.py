"""How is an expression of the graph written in NumPy?  As text, and as a function in straight-line code."""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

from verify.graph import Node, postorder, substitute, symbol

#: Functions of the table as NumPy and SciPy call them.
FUNCTIONS = {
    **{name: f"np.{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "sign", "floor")},
    "sqrt": "np.sqrt", "abs": "np.abs", "asin": "np.arcsin", "acos": "np.arccos", "atan": "np.arctan",
    "asinh": "np.arcsinh", "acosh": "np.arccosh", "atanh": "np.arctanh", "max": "np.maximum", "min": "np.minimum",
    "erf": "special.erf", "erfc": "special.erfc", "gamma": "special.gamma", "loggamma": "special.gammaln",
    "digamma": "special.digamma",
}  # fmt: skip
#: Functions that NumPy has not, as 1 over one that it has.
RECIPROCALS = {"cot": "tan", "sec": "cos", "csc": "sin", "coth": "tanh", "sech": "cosh", "csch": "sinh"}
CONSTANTS = {"pi": "np.pi", "E": "np.e", "EulerGamma": "np.euler_gamma"}
_RELATIONS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "=": "==", "!=": "!="}
#: Names of the generated module that a quantity must not take.
_TAKEN = {
    "OBSERVED",
    "EVENTS",
    "PHASES",
    "np",
    "special",
    "solve_ivp",
    "x",
    "l",
    "p",
    "last",
    "tau",
    "t0",
    "adjoint",
    "initial",
    "gradient",
    "NAMES",
    "STATE",
}


def safe(name: str) -> str:
    """A name as Python may have it, and the module does not have it already."""
    return f"{name}_" if keyword.iskeyword(name) or name in _TAKEN or name.startswith("v_") else name


def function(
    head: str, unpacked: Mapping[str, Sequence[str]], results: Sequence[Node], scalar: bool, says: str
) -> list[str]:
    """A function that unpacks its arrays and returns the results as an array (or one number)."""
    lines = ["", "", f"def {head}:", f'    """{says}"""']
    results = [plain(node) for node in results]
    used = {node.value for node in postorder(*results) if node.op == "symbol"}
    for array, names in unpacked.items():
        if used & set(names):
            taken = ", ".join(safe(name) if name in used else "_" for name in names)
            lines.append(f"    {taken if len(names) > 1 else f'({taken},)'} = {array}")
    steps, texts = _straight(results)
    lines += [f"    {step}" for step in steps]
    if scalar:
        return [*lines, f"    return {texts[0]}"]
    return [*lines, f"    return np.array([{', '.join(texts)}], dtype=float)"]


def _straight(roots: Sequence[Node]) -> tuple[list[str], list[str]]:
    """Assignments for what is used more than once, and the expressions of the roots."""
    uses = Counter(arg for node in postorder(*roots) for arg in node.args)
    steps: list[str] = []
    text: dict[Node, str] = {}
    for node in postorder(*roots):
        text[node] = _python(node, [text[arg] for arg in node.args])
        if node.args and uses[node] > 1:
            steps.append(f"v_{len(steps)} = {text[node]}")
            text[node] = f"v_{len(steps) - 1}"
    return steps, [text[root] for root in roots]


def _python(node: Node, args: list[str]) -> str:
    match node.op:
        case "num":
            value: Fraction = node.value
            if value.denominator != 1:
                return f"({value.numerator} / {value.denominator})"
            return f"{value.numerator}" if value >= 0 else f"({value.numerator})"
        case "symbol":
            return safe(node.value)
        case "constant" if node.value in CONSTANTS:
            return CONSTANTS[node.value]
        case "pow":
            return f"np.sqrt({args[0]})" if args[1] == "(1 / 2)" else f"({_float(node.args[0], args[0])} ** {args[1]})"
    found = operation(node, args)
    if found is None:
        raise ValueError(f"{node.value or node.op} has no name in NumPy or SciPy")
    return found


def operation(node: Node, args: list[str]) -> str | None:
    """A sum, a product, a function, a condition or pieces of arguments that are written already; None for all else."""
    match node.op:
        case "add":
            return f"({' + '.join(args)})"
        case "mul":
            return f"({' * '.join(args)})"
        case "call" if node.value in ("max", "min"):
            text = args[0]
            for other in args[1:]:
                text = f"{FUNCTIONS[node.value]}({text}, {other})"
            return text
        case "call" if node.value in FUNCTIONS and len(args) == 1:
            return f"{FUNCTIONS[node.value]}({args[0]})"
        case "call" if node.value in RECIPROCALS:
            return f"(1 / np.{RECIPROCALS[node.value]}({args[0]}))"
        case "compare":
            return f"({args[0]} {_RELATIONS[node.value]} {args[1]})"
        case "and" | "or":
            return f"({f' {node.op} '.join(args)})"
        case "true":
            return "True"
        case "piecewise":
            text = "np.nan"
            for value, condition in reversed(list(zip(args[::2], args[1::2], strict=True))):
                text = f"({value} if {condition} else {text})"
            return text
    return None


def _float(node: Node, text: str) -> str:
    """A whole number as a base is made a float: 2 ** -1 of arrays of integers is refused."""
    return f"float({text})" if node.op == "num" else text


def matrix(flat: Sequence[Node], n: int) -> str:
    """What a function returns for an n x n matrix, row by row."""
    _, texts = _straight(flat)
    return f"return np.array([{', '.join(texts)}], dtype=float).reshape({n}, {n})"


def plain(node: Node) -> Node:
    """Values at whatever time or step as plain names: each function knows its own."""
    at = {}
    for each in postorder(node):
        if each.op == "symbol" and (bare := each.value.split("[")[0].split("(")[0]) != each.value:
            at[each] = symbol(bare)
    return substitute(node, at)
