"""Formulas in LaTeX as another hand would write them: every notation that means the same is drawn by chance."""

from random import Random

from verify.graph import Node
from verify.language.latex.words import LETTERS

_FUNCTIONS = {"log": r"\ln", "asin": r"\arcsin", "acos": r"\arccos", "atan": r"\arctan"}
_CONSTANTS = {"pi": r"\pi ", "E": r"\mathrm{e}", "oo": r"\infty ", "I": r"\mathrm{i}"}
_LOOSE = ("add", "mul", "num", "hadamard", "sum", "gradient", "jacobian", "hessian", "divergence", "derivative")


class NotWritten(Exception):
    """A part of the language that this writer leaves out."""


def in_latex(node: Node, rng: Random) -> str:
    """The expression in LaTeX; raises NotWritten."""

    def bracketed(part: Node) -> str:
        left, right = rng.choice([(r"\left(", r"\right)"), ("(", ")"), (r"\bigl[", r"\bigr]")])
        return f"{left}{written(part)}{right}"

    def closed(part: Node) -> str:
        return written(part) if part.op == "symbol" else bracketed(part)

    def name(text: str) -> str:
        base, _, lowered = text.partition("_")
        if len(base) > 1 and base not in LETTERS.values():
            raise NotWritten(text)
        return (f"\\{base} " if len(base) > 1 else base) + (f"_{{{lowered}}}" if lowered else "")

    def number(part: Node) -> str:
        if part.value.denominator == 1:
            return str(part.value.numerator)
        sign = "-" if part.value < 0 else ""
        return rf"{sign}\{rng.choice(['frac', 'tfrac'])}{{{abs(part.value.numerator)}}}{{{part.value.denominator}}}"

    def term(part: Node) -> str:
        negative = part.op == "num" and part.value < 0
        begins = part.op == "mul" and part.args[0].op == "num" and part.args[0].value < 0
        return bracketed(part) if part.op == "add" or negative or begins else written(part)

    def factor(position: int, part: Node) -> str:
        plain = position == 0 and part.op == "num" and part.value >= 0
        return bracketed(part) if part.op in _LOOSE and not plain else written(part)

    def operator(d: str, by: str, order: int = 1) -> str:
        raised = f"^{{{order}}}" if order > 1 else ""
        return rf"\frac{{{d}{raised}}}{{{d} {by}{raised}}}"

    def call(part: Node) -> str:
        arguments = [written(each) for each in part.args]
        match part.value, len(arguments):
            case "inv", _:
                return closed(part.args[0]) + "^{-1}"
            case "expm", _:
                return rf"\mathrm{{e}}^{{{arguments[0]}}}"
            case "norm", 1:
                return rng.choice([r"\left\|{}\right\|", r"\lVert {}\rVert "]).format(arguments[0])
            case "norm", _:
                return rf"\|{arguments[0]}\|_1"
            case "dot", _:
                return rf"\langle {arguments[0]}, {arguments[1]}\rangle "
            case "eye", _:
                return f"I_{{{arguments[0]}}}"
            case "ones", 1:
                return rf"\mathbf{{1}}_{{{arguments[0]}}}"
            case (("sum" | "outer" | "logdet" | "logm" | "piecewise" | "ones" | "kron" | "abs"), _):
                raise NotWritten(part.value)
        function = _FUNCTIONS.get(part.value, f"\\operatorname{{{part.value}}}")
        return rf"{function}\left({', '.join(arguments)}\right)"

    def written(part: Node) -> str:
        args, value = part.args, part.value
        match part.op:
            case "num":
                return number(part)
            case "symbol":
                return name(value)
            case "constant" if value in _CONSTANTS:
                return _CONSTANTS[value]
            case "add":
                return " + ".join(map(term, args))
            case "mul":
                return r"\,".join(factor(i, each) for i, each in enumerate(args))
            case "pow":
                return f"{closed(args[0])}^{{{written(args[1])}}}"
            case "transpose":
                return closed(args[0]) + rng.choice([r"^\top ", "^{T}", r"^{\mathsf T}", r"^{\rm T}", "^T "])
            case "hadamard":
                return r" \odot ".join(factor(1, each) for each in args)
            case "index":
                return f"{closed(args[0])}_{{{','.join(map(written, args[1:]))}}}"
            case "sum":
                return rf"\sum_{{{name(value)}={written(args[1])}}}^{{{written(args[2])}}} {bracketed(args[0])}"
            case "integral":
                limits = rf"\int_{{{written(args[1])}}}^{{{written(args[2])}}}"
                d = rng.choice(["d", r"\mathrm d", r"{\rm d}"])
                return rf"{limits} {bracketed(args[0])}\,{d} {name(value)}"
            case "gradient":
                return rf"\nabla_{{{name(value)}}} {bracketed(args[0])}"
            case "jacobian":
                return operator(r"\partial", name(value)) + bracketed(args[0])
            case "hessian":
                return (
                    rf"\frac{{\partial^2}}{{\partial {name(value)}\,\partial {name(value)}^\top}}{bracketed(args[0])}"
                )
            case "divergence":
                return rf"\nabla_{{{name(value)}}}\cdot {bracketed(args[0])}"
            case "derivative":
                d = rng.choice(["d", r"\mathrm d", r"\partial", r"{\rm d}"])
                return operator(d, name(value[0]), value[1]) + bracketed(args[0])
            case "abstract" if sum(value[1]) == 0 or len(value[1]) == 1:
                return f"{name(value[0])}{chr(39) * sum(value[1])}({', '.join(map(written, args))})"
            case "call":
                return call(part)
        raise NotWritten(part.op)

    return written(node)
