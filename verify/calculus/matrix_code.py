"""Which NumPy module computes an expression in vectors and matrices, and its derivative?

Columns and rows are arrays of one axis, so x' and x are the same array and the shapes say which product is meant.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence

from verify.calculus.numpy_text import CONSTANTS, FUNCTIONS
from verify.claim import Shape, Size, Variable
from verify.graph import MATRIX_FUNCTIONS, MINUS_ONE, Node, mul, postorder
from verify.shapes import Shapes
from verify.sizes import is_vector, rectangle

_SOFTMAX = '''

def softmax(z):
    """exp(z) divided by the sum of its entries."""
    e = np.exp(z - np.max(z))
    return e / np.sum(e)
'''
_LOGSUMEXP = '''

def logsumexp(z):
    """The logarithm of the sum of the entries of exp(z)."""
    return np.max(z) + np.log(np.sum(np.exp(z - np.max(z))))
'''


def module(
    value: Node | None, slope: Node, variables: Mapping[str, Variable], *, says: str, result: str = "derivative"
) -> str:
    """The text of a module with the functions `value` (if there is an expression for it) and `derivative`.

    Both take the declared names in their order: vectors as arrays of shape (n,), matrices of shape (m, n).

    Raises ValueError for what NumPy and SciPy do not have, abstract functions among it.
    """
    names = [name for name, v in variables.items() if v.field != "size"]
    arguments = {name: f"{name}_" if keyword.iskeyword(name) or name in ("np", "linalg", "special") else name
                 for name in names}  # fmt: skip
    written = _Written(variables, arguments)
    functions = []
    for head, node in (("value", value), (result, slope)):
        if node is not None:
            body = written.text(node)
            lines = [f"def {head}({', '.join(arguments.values())}):"]
            lines += [f"    {line}" for line in written.sizes(node)]
            functions.append("\n".join([*lines, f"    return {body}", ""]))
    text = "\n\n".join(functions)
    imports = ["import numpy as np"]
    imports += ["from scipy import linalg"] if "linalg." in text.replace("np.linalg.", "") else []
    imports += ["from scipy import special"] if "special." in text else []
    extra = (_SOFTMAX if "softmax(" in text else "") + (_LOGSUMEXP if "logsumexp(" in text else "")
    head = f'"""{says}"""\n\n' + "\n".join(imports) + "\n"
    return f"{head}{extra}\n\n{text}"


class _Written:
    """Expressions as text of Python; every text is an atom or stands in brackets where it must."""

    def __init__(self, variables: Mapping[str, Variable], arguments: Mapping[str, str]) -> None:
        self.variables, self.arguments = variables, arguments
        self.shapes = Shapes(variables)

    def text(self, root: Node) -> str:
        done: dict[Node, str] = {}
        for node in postorder(root):
            done[node] = self._text(node, [done[a] for a in node.args])
        return done[root].removeprefix("(").removesuffix(")") if _is_bracketed(done[root]) else done[root]

    def sizes(self, root: Node) -> list[str]:
        """What the sizes are that occur as numbers."""
        found = []
        for name in sorted({n.value for n in postorder(root) if n.op == "symbol"}):
            if self.variables[name].field == "size":
                found.append(f"{name} = {self._size(name)}")
        return found

    def _size(self, size: Size) -> str:
        for name, variable in self.variables.items():
            for axis, n in enumerate(variable.shape):
                if n == size:
                    return f"{self.arguments[name]}.shape[{0 if is_vector(variable.shape) else axis}]"
        raise ValueError(f"no array has the size {size}")

    def _text(self, node: Node, args: list[str]) -> str:
        match node.op:
            case "num":
                p, q = node.value.numerator, node.value.denominator
                return f"({p} / {q})" if q != 1 else str(p) if p >= 0 else f"({p})"
            case "symbol":
                return self.arguments.get(node.value, node.value)
            case "constant" if node.value in CONSTANTS:
                return CONSTANTS[node.value]
            case "add":
                return _sum(node.args, args)
            case "mul":
                return self._product(node.args, args)
            case "hadamard":
                return f"({' * '.join(args)})"
            case "pow" if self.shapes.of(node):
                return f"np.linalg.matrix_power({args[0]}, {args[1]})"
            case "pow" if node.args[1] is MINUS_ONE:
                return f"(1 / {args[0]})"
            case "pow" | "hadamard_pow":
                whole = node.args[1].op == "num" and node.args[1].value.denominator == 1
                # Arrays of whole numbers have no negative powers but those with a point.
                exponent = f"{float(node.args[1].value)}" if whole and node.args[1].value < 0 else args[1]
                return f"({args[0]} ** {exponent})"
            case "transpose":
                return args[0] if is_vector(self.shapes.of(node)) else f"{args[0]}.T"
            case "call" if node.value in MATRIX_FUNCTIONS:
                return self._function(node, args)
            case "call" if node.value in FUNCTIONS:
                return f"{FUNCTIONS[node.value]}({', '.join(args)})"
        name = node.value[0] if node.op == "abstract" else node.value if node.op == "call" else node.op
        raise ValueError(f"no NumPy code for {name}")

    def _product(self, factors: Sequence[Node], texts: Sequence[str]) -> str:
        """Scalars by *, vectors and matrices by @ from left to right; a column times a row is an outer product."""
        pairs = list(zip(factors, texts, strict=True))
        parts = [(f, t) for f, t in pairs if not self.shapes.of(f)]
        run: list[Node] = []
        text = ""
        for factor, piece in pairs:
            if not self.shapes.of(factor):
                continue
            if run:
                left, right = rectangle(self._shape(run)), rectangle(self.shapes.of(factor))
                text = f"np.outer({text}, {piece})" if left[1] == 1 == right[0] else f"{text} @ {piece}"
            else:
                text = piece
            run.append(factor)
            if not self._shape(run):
                parts.append((mul(*run), f"({text})"))
                run = []
        if run:
            parts.append((run[0], f"({text})" if "@" in text and not text.startswith("np.") and len(run) > 1 else text))
        sign = "-" if parts[0][0] is MINUS_ONE and len(parts) > 1 else ""
        text = ""
        for node, piece in parts[1:] if sign else parts:
            if text and node.op == "pow" and node.args[1] is MINUS_ONE:
                text += f" / {piece.removeprefix('(1 / ').removesuffix(')')}"
            else:
                text += f" * {piece}" if text else piece
        return f"({sign}{text})" if sign or len(parts) > 1 else text

    def _shape(self, run: Sequence[Node]) -> Shape:
        return self.shapes.of(mul(*run) if len(run) > 1 else run[0])

    def _function(self, node: Node, args: list[str]) -> str:
        shape = self.shapes.of(node.args[0]) if node.args else ()
        match node.value:
            case "inv" | "det":
                return f"np.linalg.{node.value}({args[0]})"
            case "logdet":
                return f"np.linalg.slogdet({args[0]})[1]"
            case "tr":
                return f"np.trace({args[0]})"
            case "expm" | "logm":
                return f"linalg.{node.value}({args[0]})"
            case "diag":
                return f"np.diag({args[0]})"
            case "norm" if len(args) == 2:
                return f"np.sum(np.abs({args[0]}))"
            case "norm":
                return f"np.linalg.norm({args[0]})"
            case "sum" | "outer":
                return f"np.{node.value}({', '.join(args)})"
            case "dot" if is_vector(shape):
                return f"({args[0]} @ {args[1]})"
            case "dot":
                return f"np.sum({args[0]} * {args[1]})"
            case "softmax" | "logsumexp":
                return f"{node.value}({args[0]})"
            case "eye":
                return f"np.eye({args[0]})"
            case "ones":
                return f"np.ones({args[0]})" if len(args) == 1 else f"np.ones(({', '.join(args)}))"
            case "kron" if len(shape) == 2 and len(self.shapes.of(node.args[1])) == 2 and "1" not in map(str, shape):
                return f"np.kron({args[0]}, {args[1]})"
        raise ValueError(f"no NumPy code for {node.value}")


def _sum(terms: Sequence[Node], texts: Sequence[str]) -> str:
    whole = texts[0]
    for term, text in zip(terms[1:], texts[1:], strict=True):
        negative = term.op == "mul" and text.startswith("(-") and _is_bracketed(text)
        whole += f" - {text[2:-1]}" if negative else f" + {text}"
    return f"({whole})"


def _is_bracketed(text: str) -> bool:
    """Whether one pair of brackets is around all of it."""
    depth = 0
    for k, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text.startswith("(") and k == len(text) - 1
    return False
