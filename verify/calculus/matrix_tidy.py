"""How is an expression in vectors and matrices written shortly?  Like terms collected, transposes at the letters.

Nothing is decided here: what is made of a formula is judged like any other claim before it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from verify.calculus.tidy import leading_number, scaled
from verify.claim import Shape, Variable
from verify.graph import (
    MINUS_ONE,
    ONE,
    ZERO,
    Node,
    add,
    call,
    hadamard,
    hadamard_power,
    mul,
    num,
    postorder,
    power,
    rebuild,
    symbol,
    transpose,
)
from verify.shapes import Shapes
from verify.sizes import rectangle

SELF_TRANSPOSED = ("symmetric", "spd", "diagonal")


@dataclass(frozen=True)
class Split:
    """number * scalars * matrices: scalars with their exponents, matrices in their order."""

    number: Fraction
    scalars: dict[Node, Fraction]
    matrices: list[Node]


@dataclass
class Tidying:
    """Tidied sums, products and transposes of expressions over these variables."""

    variables: Mapping[str, Variable]
    shapes: Shapes = field(init=False)

    def __post_init__(self) -> None:
        self.shapes = Shapes(self.variables)

    def shape(self, node: Node) -> Shape:
        """The shape of an expression."""
        return self.shapes.of(node)

    def tidy(self, root: Node) -> Node:
        """The expression, shorter."""
        done: dict[Node, Node] = {}
        for node in postorder(root):
            args = [done[arg] for arg in node.args]
            done[node] = self._node(node, args)
        return done[root]

    def _node(self, node: Node, args: list[Node]) -> Node:
        match node.op:
            case "add":
                return self.total(args)
            case "mul":
                return self.product(args)
            case "transpose":
                return self.transposed(args[0])
            case "hadamard":
                return self.entrywise(args)
            case "hadamard_pow" if args[0].op == "hadamard_pow" and args[0].args[1].op == args[1].op == "num":
                inner, outer = args[0].args[1].value, args[1].value
                return hadamard_power(args[0].args[0], num(inner * outer)) if outer.denominator == 1 else node
            case "pow" if not self.shape(node):
                return self.product([rebuild(node, args)])
            case "pow" if args[1] is MINUS_ONE:
                return self._call("inv", args[:1])
            case "call":
                return self._call(node.value, args)
        return rebuild(node, args)

    # --- products ---

    def split(self, factors: Iterable[Node]) -> Split:
        """The factors sorted by what they are."""
        number, scalars, matrices = Fraction(1), {}, []
        pending = list(factors)[::-1]
        while pending:
            factor = pending.pop()
            if factor.op == "num":
                number *= factor.value
            elif self.shape(factor):
                if factor.op == "mul":
                    pending += reversed(factor.args)
                else:
                    matrices.append(factor)
            elif factor.op == "mul" and (loose := self._loose(factor)) is not None:
                pending += reversed(loose)
            else:
                base, exponent = factor.args if factor.op == "pow" and factor.args[1].op == "num" else (factor, ONE)
                if base.op == "pow" and base.args[1].op == "num" and exponent.value.denominator == 1:
                    base, exponent = base.args[0], num(base.args[1].value * exponent.value)
                if base.op == "mul" and exponent is not ONE and exponent.value.denominator == 1:
                    loose = self._loose(base) or ()
                    if loose:
                        pending += [power(part, exponent) for part in reversed(loose)]
                        continue
                if base.op == "num":
                    number *= base.value ** int(exponent.value) if exponent.value.denominator == 1 else 1
                    if exponent.value.denominator == 1:
                        continue
                scalars[base] = scalars.get(base, Fraction(0)) + exponent.value
        return Split(number, {base: e for base, e in scalars.items() if e}, self._reduced(matrices))

    def _loose(self, product: Node) -> tuple[Node, ...] | None:
        """The factors of a product that is a number, its product of matrices as one; None if it is that alone."""
        outside = [f for f in product.args if not self.shape(f)]
        inside = [f for f in product.args if self.shape(f)]
        if not outside:
            return None
        return (*outside, mul(*inside)) if inside else tuple(outside)

    def _reduced(self, matrices: list[Node]) -> list[Node]:
        """Without identities, and without inverses beside what they invert."""
        kept: list[Node] = []
        for factor in matrices:
            if kept and (factor is self._call("inv", [kept[-1]]) or kept[-1] is self._call("inv", [factor])):
                kept.pop()
                kept.append(self._identity(factor))
            elif kept and _is_identity(kept[-1]):
                kept[-1] = factor
            elif kept and _power_of(kept[-1])[0] is _power_of(factor)[0] and self._is_square(factor):
                base, e = _power_of(factor)
                kept[-1] = power(base, num(e + _power_of(kept[-1])[1]))
            elif not (kept and _is_identity(factor)):
                kept.append(factor)
        return kept

    def _is_square(self, factor: Node) -> bool:
        rows, columns = rectangle(self.shape(factor))
        return rows == columns and rows != 1

    def _identity(self, factor: Node) -> Node:
        n = self.shape(factor)[0]
        return call("eye", num(n) if isinstance(n, int) else symbol(n))

    def product(self, factors: Iterable[Node]) -> Node:
        """The product with one number in front and one fraction bar."""
        return self.joined(self.split(factors))

    def joined(self, parts: Split) -> Node:
        """The product of the parts."""
        if not parts.number:
            return ZERO
        above = [power(b, num(e)) for b, e in parts.scalars.items() if e > 0]
        below = [power(b, num(-e)) for b, e in parts.scalars.items() if e < 0]
        factors = [*above, *parts.matrices]
        if below:
            factors.append(power(mul(*below) if len(below) > 1 else below[0], MINUS_ONE))
        if not factors:
            return num(parts.number)
        whole = mul(*factors) if len(factors) > 1 else factors[0]
        if parts.number == -1 and whole.op == "add":
            return add(*(self.product([MINUS_ONE, term]) for term in whole.args))
        return scaled(parts.number, whole)

    def entrywise(self, factors: Sequence[Node]) -> Node:
        """The product entry by entry: numbers and scalars in front, ones left out, equal factors as powers."""
        outside: list[Node] = []
        inside: dict[Node, Fraction] = {}
        pending = list(factors)[::-1]
        ones: Node | None = None
        while pending:
            factor = pending.pop()
            if factor.op == "hadamard":
                pending += reversed(factor.args)
            elif not self.shape(factor):
                outside.append(factor)
            elif factor.op == "mul" and (parts := self.split([factor])) and (parts.scalars or parts.number != 1):
                outside += [num(parts.number), *(power(b, num(e)) for b, e in parts.scalars.items())]
                pending.append(self.joined(Split(Fraction(1), {}, parts.matrices)))
            elif factor.op == "call" and factor.value == "ones":
                ones = factor
            else:
                base, e = factor.args if factor.op == "hadamard_pow" and factor.args[1].op == "num" else (factor, ONE)
                inside[base] = inside.get(base, Fraction(0)) + e.value
        kept = [hadamard_power(base, num(e)) for base, e in inside.items() if e]
        if not kept:
            kept = [ones if ones is not None else self._ones(self.shape(factors[0]))]
        return self.product([*outside, hadamard(*kept) if len(kept) > 1 else kept[0]])

    def _ones(self, shape: Shape) -> Node:
        rows, columns = (num(n) if isinstance(n, int) else symbol(n) for n in rectangle(shape))
        return call("ones", rows) if columns is ONE else call("ones", rows, columns)

    def _row_in(self, matrices: Sequence[Node]) -> int | None:
        """Where a row stands behind a column."""
        return next((k for k in range(1, len(matrices)) if rectangle(self.shape(matrices[k]))[0] == 1), None)

    # --- sums ---

    def total(self, terms: Iterable[Node]) -> Node:
        """Like terms collected; what all terms begin or end with is taken out."""
        found: dict[Node, Fraction] = {}
        for term in terms:
            for part in term.args if term.op == "add" else (term,):
                number, rest = leading_number(part)
                if rest not in found and not self.shape(rest) and self.transposed_inside(rest) in found:
                    rest = self.transposed_inside(rest)
                found[rest] = found.get(rest, Fraction(0)) + number
        kept = [scaled(number, rest) for rest, number in found.items() if number]
        if not kept:
            return ZERO
        kept.sort(key=lambda term: (leading_number(term)[0] < 0, _transposes(term)))
        return self._factored(kept) if len(kept) > 1 else kept[0]

    def transposed_inside(self, scalar: Node) -> Node:
        """A number that is a product of matrices, as its transpose; anything else as it is."""
        if scalar.op != "mul" or not all(map(self.shape, scalar.args)):
            return scalar
        return self.product([self.transposed(f) for f in reversed(scalar.args)])

    def _factored(self, terms: list[Node]) -> Node:
        parts = [self.split([term]) for term in terms]
        if not self.shape(terms[0]):
            return add(*terms)
        number = abs(parts[0].number) if len({abs(p.number) for p in parts}) == 1 else Fraction(1)
        if all(p.number < 0 for p in parts):
            number = -number
        for end in (0, -1):
            ends = {p.matrices[end] for p in parts if p.matrices}
            if len(ends) == 1 and all(len(p.matrices) > 1 for p in parts):
                shared = {b: e for b, e in parts[0].scalars.items() if all(p.scalars.get(b) == e for p in parts)}
                inner = [
                    self.joined(
                        Split(
                            p.number / number,
                            {b: e for b, e in p.scalars.items() if b not in shared},
                            p.matrices[1:] if end == 0 else p.matrices[:-1],
                        )
                    )
                    for p in parts
                ]
                bracket = self.total(inner)
                (outer,) = ends
                factors = [outer, bracket] if end == 0 else [bracket, outer]
                return self.joined(self.split([num(number), self.joined(Split(Fraction(1), shared, [])), *factors]))
        if number == 1:
            return add(*terms)
        return mul(num(number), add(*(self.joined(Split(p.number / number, p.scalars, p.matrices)) for p in parts)))

    # --- transposes and functions ---

    def transposed(self, node: Node) -> Node:
        """The transpose, at the letters of products."""
        if not self.shape(node):
            return node
        match node.op:
            case "transpose":
                return node.args[0]
            case "symbol" | "abstract":
                name = node.value if node.op == "symbol" else node.value[0]
                structure = self.variables[name].structure if name in self.variables else ""
                if structure in SELF_TRANSPOSED:
                    return node
                return self.product([MINUS_ONE, node]) if structure == "antisymmetric" else transpose(node)
            case "mul":
                parts = self.split([node])
                turned = [self.transposed(f) for f in reversed(parts.matrices)]
                return self.product([num(parts.number), *(power(b, num(e)) for b, e in parts.scalars.items()), *turned])
            case "add":
                turned = [self.transposed(term) for term in node.args]
                shorter = sum(map(_transposes, turned)) <= sum(map(_transposes, node.args))
                return self.total(turned) if shorter else transpose(node)
            case "hadamard":
                turned = [self.transposed(f) for f in node.args]
                return hadamard(*turned) if sum(map(_transposes, turned)) <= _transposes(node) else transpose(node)
            case "call" if node.value == "eye" or (node.value == "diag" and len(self.shape(node.args[0])) == 1):
                return node
            case "call" if node.value in ("inv", "expm", "logm"):
                inner = self.transposed(node.args[0])
                return call(node.value, inner) if _transposes(inner) <= _transposes(node.args[0]) else transpose(node)
            case "pow" if node.args[1].op == "num":
                inner = self.transposed(node.args[0])
                return power(inner, node.args[1]) if _transposes(inner) == 0 else transpose(node)
        return transpose(node)

    def _call(self, name: str, args: list[Node]) -> Node:
        first = args[0]
        match name:
            case "log" if first.op == "call" and first.value == "softmax":
                (z,) = first.args
                whole = self.product([MINUS_ONE, call("logsumexp", z), self._ones(self.shape(z))])
                return self.total([z, whole])
            case "inv" if first.op == "call" and first.value in ("inv", "eye"):
                return first.args[0] if first.value == "inv" else first
            case "inv" if first.op == "symbol" and self.variables[first.value].structure == "orthogonal":
                return transpose(first)
            case "inv" if first.op == "transpose":
                inner = self._call("inv", [first.args[0]])
                return transpose(inner) if inner.op != "transpose" else inner.args[0]
            case "tr" if first.op == "mul" and self.shape(first):
                parts = self.split([first])
                if parts.scalars or parts.number != 1:
                    whole = self._call("tr", [self.joined(Split(Fraction(1), {}, parts.matrices))])
                    return self.product([self.joined(Split(parts.number, parts.scalars, [])), whole])
                matrices = parts.matrices
                if (last := self._row_in(matrices)) is not None:
                    return self.product([*matrices[last:], *matrices[:last]])
            case "tr" if first.op == "add":
                return self.total([self._call("tr", [term]) for term in first.args])
            case "tr" if first.op == "call" and first.value == "eye":
                return first.args[0]
            case "tr" if first.op == "call" and first.value == "diag" and len(self.shape(first.args[0])) == 1:
                return call("sum", first.args[0])
            case "tr" if first.op == "transpose":
                return self._call("tr", [first.args[0]])
            case "diag" if first.op == "mul" and len(self.shape(first)) == 1:
                parts = self.split([first])
                if parts.scalars or parts.number != 1:
                    whole = self._call("diag", [self.joined(Split(Fraction(1), {}, parts.matrices))])
                    return self.product([self.joined(Split(parts.number, parts.scalars, [])), whole])
            case "diag" if first.op == "mul" and len(self.shape(first)) == 2:
                parts = self.split([first])
                if len(parts.matrices) > 1 and (k := self._row_in(parts.matrices)) is not None:
                    column, row = mul(*parts.matrices[:k]), mul(*parts.matrices[k:])
                    number = self.joined(Split(parts.number, parts.scalars, []))
                    return self.entrywise([number, self.product([column]), self.transposed(row)])
            case "diag" if first.op == "call" and first.value == "ones" and len(self.shape(first)) == 1:
                return call("eye", first.args[0])
            case "diag" if first.op == "call" and first.value == "eye":
                return call("ones", first.args[0])
        return call(name, *args)


def _power_of(node: Node) -> tuple[Node, int]:
    """A matrix as a power of another one."""
    if node.op == "pow" and node.args[1].op == "num":
        return node.args[0], int(node.args[1].value)
    return node, 1


def _is_identity(node: Node) -> bool:
    return node.op == "call" and node.value == "eye"


def _transposes(node: Node) -> int:
    return sum(n.op == "transpose" for n in postorder(node))
