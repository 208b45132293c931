"""How are expressions of the graph run fast on numbers of any kind?  As one Python function over arrays.

The source is made of names and operations of this module alone, never of text that somebody wrote.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from verify.calculus.numpy_text import operation
from verify.graph import Node, postorder
from verify.numerics.straight import NoFloat

_CONSTANTS = {"pi": np.pi, "E": np.e, "EulerGamma": np.euler_gamma}
#: What has no derivative in the complex sense: the complex step is no derivative there.
NOT_HOLOMORPHIC = frozenset({"abs", "sign", "floor", "max", "min"})


def holomorphic(*roots: Node) -> bool:
    """Whether the code for these expressions may be run on complex numbers."""
    return not any(
        node.op in ("piecewise", "compare") or (node.op == "call" and node.value in NOT_HOLOMORPHIC)
        for node in postorder(*roots)
    )


def may_jump(*roots: Node) -> bool:
    """Whether a value may jump: at a jump of the right-hand side sensitivities jump too, which no route here knows."""
    return any(
        node.op in ("piecewise", "compare") or (node.op == "call" and node.value in ("sign", "floor"))
        for node in postorder(*roots)
    )


def function(
    roots: Sequence[Node], arguments: Sequence[str | tuple[str, ...]], shape: tuple[int, ...], library: Any = np
) -> Callable[..., Any]:
    """A function of the arguments, names or arrays of them in order, with an array of `shape` (a number for ()).

    library   numpy, or autograd.numpy for functions that can be traced.

    Raises NoFloat for what has no value in floating point.  Compiled at the first call.
    """
    check(roots)
    compiled: list[Callable[..., Any]] = []

    def run(*values: Any) -> Any:
        if not compiled:
            compiled.append(_compiled(roots, arguments, shape, library))
        return compiled[0](*values)

    return run


def check(roots: Sequence[Node]) -> None:
    """Raises NoFloat for what has no value in floating point."""
    for node in postorder(*roots):
        _text(node, ["x"] * len(node.args), {node.value: "x"} if node.op == "symbol" else {})


def _compiled(
    roots: Sequence[Node], arguments: Sequence[str | tuple[str, ...]], shape: tuple[int, ...], library: Any
) -> Callable[..., Any]:
    names: dict[str, str] = {}
    heads = []
    for i, argument in enumerate(arguments):
        heads.append(f"a{i}")
        if isinstance(argument, str):
            names[argument] = f"a{i}"
        else:
            names |= {name: f"a{i}[{j}]" for j, name in enumerate(argument)}
    lines: list[str] = []
    at: dict[Node, str] = {}
    fresh = (f"v{i}" for i in itertools.count())
    for node in postorder(*roots):
        text = _text(node, [at[arg] for arg in node.args], names)
        if node.args or (node.op == "symbol" and "[" in text):
            at[node] = next(fresh)
            lines.append(f"    {at[node]} = {text}")
        else:
            at[node] = text
    found = [at[root] for root in roots]
    if shape == ():
        result = found[0]
    else:
        result = f"array([{', '.join(found)}])" + (f".reshape({shape!r})" if len(shape) > 1 else "")
    source = "\n".join([f"def run({', '.join(heads)}):", *lines, f"    return {result}"])
    scope = _scope(library)
    # The only words in the source are the ones that this module writes.
    exec(compile(source, "<a compiled expression>", "exec"), scope)
    return scope["run"]


def _scope(library: Any) -> dict[str, Any]:
    if library is np:
        from scipy import special
    else:
        from autograd.scipy import special
    return {"array": library.array, "np": library, "special": special}


def _text(node: Node, args: list[str], names: Mapping[str, str]) -> str:
    match node.op:
        case "num":
            return repr(float(node.value))
        case "constant" if node.value in _CONSTANTS:
            return repr(_CONSTANTS[node.value])
        case "symbol" if node.value in names:
            return names[node.value]
        case "pow":
            return _power(node, args)
    found = operation(node, args)
    if found is not None:
        return found
    raise NoFloat(
        f"{node.value if node.op in ('call', 'symbol', 'constant') else node.op} has no value in floating point"
    )


def _power(node: Node, args: list[str]) -> str:
    base, exponent = args
    number = node.args[1]
    if number.op != "num":
        return f"np.exp({exponent} * np.log({base}))" if node.args[0].op != "constant" else f"np.exp({exponent})"
    if number.value == 2:
        return f"({base} * {base})"
    if number.value == -1:
        return f"(1.0 / {base})"
    if number.value.denominator == 1:
        return f"({base} ** {int(number.value)})" if number.value > 0 else f"(1.0 / {base} ** {int(-number.value)})"
    return f"np.sqrt({base})" if 2 * number.value == 1 else f"({base} ** {float(number.value)!r})"
