"""In which convention is a claimed adjoint?  Its entries are kappa times those of +dG/dx, perhaps in another order, or
some of them with another sign.

kappa is a constant: 1, -1, or what the claim itself suggests, read off its terminal condition, its source term or its
gradient.  The convention in which the least of the claim looks wrong is the one that the claim is judged in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice, permutations, product

from verify.calculus.tidy import tidy
from verify.graph import MINUS_ONE, ONE, ZERO, Node, div, free_symbols, mul, num, substitute, symbol
from verify.language.write import write

UNANCHORED = "right for an adjoint that is scaled by a constant, and nothing else in the claim says that it is"
#: Adjoints that are tried in another order.
MOST_PERMUTED = 4


@dataclass(frozen=True)
class Convention:
    """claimed l[i] = kappa * signs[i] * (right l)[order[i]]."""

    names: tuple[str, ...]
    kappa: Node = ONE
    order: tuple[int, ...] = ()
    signs: tuple[int, ...] = ()

    def scale(self, i: int) -> Node:
        """What the claimed l[i] is multiplied by."""
        return mul(MINUS_ONE, self.kappa) if self.signs and self.signs[i] < 0 else self.kappa

    @property
    def places(self) -> tuple[int, ...]:
        return self.order or tuple(range(len(self.names)))

    @property
    def is_usual(self) -> bool:
        return self.kappa is ONE and self.places == tuple(range(len(self.names))) and not self.signs

    @property
    def is_sign(self) -> bool:
        """Whether kappa is 1 or -1."""
        return self.kappa.op == "num" and abs(self.kappa.value) == 1

    def entry(self, nodes: Sequence[Node], i: int) -> Node:
        """The entry of a right vector (a rate, a final value) that belongs to the claimed l[i]; in claimed names."""
        return tidy(mul(self.scale(i), self.claimed(nodes[self.places[i]])))

    def claimed(self, node: Node) -> Node:
        """An expression in the right adjoint as one in the claimed adjoint, wherever that is taken."""
        if self.is_usual:
            return node
        inverse = {self.names[place]: i for i, place in enumerate(self.places)}
        at = {}
        for name in free_symbols(node):
            base, rest = _split(name)
            if base in inverse:
                at[symbol(name)] = div(symbol(self.names[inverse[base]] + rest), self.scale(inverse[base]))
        return tidy(substitute(node, at))

    def says(self) -> str:
        """The convention in words; empty for the usual one."""
        if self.is_usual:
            return ""
        if self.signs:
            minus = ", ".join(name for name, sign in zip(self.names, self.signs, strict=True) if sign < 0)
            return f"{minus} with the other sign than the rest of +dG/dx"
        if self.places == tuple(range(len(self.names))):
            return f"l = {write(mul(self.kappa, symbol('L')))} with L = +dG/dx"
        order = ", ".join(
            f"{name} belongs to state {place + 1}" for name, place in zip(self.names, self.places, strict=True)
        )
        return order if self.kappa is ONE else f"{order}; l = {write(mul(self.kappa, symbol('L')))} with L = +dG/dx"


def _split(name: str) -> tuple[str, str]:
    for i, letter in enumerate(name):
        if letter in "([":
            return name[:i], name[i:]
    return name, ""


def ratio(claimed: Node, right: Node, varying: Iterable[str]) -> Node | None:
    """claimed/right as a constant that may depend on parameters: at some numbers for all that varies."""
    if right is ZERO or claimed is ZERO:
        return None
    names = sorted(set(varying) & free_symbols(claimed, right))
    at = {symbol(name): num(Fraction(7 + 4 * i, 5 + 3 * i)) for i, name in enumerate(names)}
    above, below = tidy(substitute(claimed, at)), tidy(substitute(right, at))
    if above is ZERO or below is ZERO:
        return None
    found = tidy(div(above, below))
    return found if found.op == "num" or free_symbols(found) else None


def candidates(
    blocks: tuple[tuple[str, ...], ...], suggested: Iterable[Node | None], *, mixed: bool = False
) -> Iterator[Convention]:
    """All conventions worth trying, the usual ones first; in another order with numbers for kappa alone.

    blocks  names of adjoints, in groups that keep to themselves.
    mixed   whether entries of different signs are tried too: for claims that say all of the adjoint, and use it.
    """
    names = tuple(chain(*blocks))
    kappas = dict.fromkeys((ONE, MINUS_ONE, *(k for k in suggested if k is not None)))
    for order in _orders(blocks, len(names)):
        for kappa in kappas:
            if not order or kappa.op == "num":
                yield Convention(names, kappa, order)
    for signs in product((1, -1), repeat=len(names)) if mixed and 2 <= len(names) <= MOST_PERMUTED else ():
        if len(set(signs)) == 2:
            yield Convention(names, ONE, (), signs)


def _orders(blocks: tuple[tuple[str, ...], ...], n: int) -> Iterator[tuple[int, ...]]:
    """No other order, and then the others, of each group in itself."""
    yield ()
    if 2 <= n <= MOST_PERMUTED:
        places = iter(range(n))
        groups = [tuple(islice(places, len(block))) for block in blocks]
        for order in islice(product(*map(permutations, groups)), 1, None):
            yield tuple(chain(*order))


def best(found: Iterable[Convention], failing: Callable[[Convention], Iterator[tuple[str, str]]]) -> Convention:
    """The first convention in which the fewest tables of the claim look wrong, and the fewest parts of these.

    A slip is made once and then kept up: limits that are reversed in all gradients are one slip, not several.

    failing     (table, name) of the parts that look wrong in a convention; no more are asked for than it takes.
    """
    chosen: Convention | None = None
    fewest: Counter[str] = Counter()
    for convention in found:
        count: Counter[str] = Counter()
        for table, _ in failing(convention):
            count[table] += 1
            if chosen is not None and not _may_be_better(count, fewest):
                break
        else:
            chosen, fewest = convention, count
        if not fewest:
            break
    assert chosen is not None
    return chosen


def looks_as_good(failing: Iterable[tuple[str, str]], count: Counter[str]) -> bool:
    """Whether no more looks wrong than was counted before, in another convention."""
    found: Counter[str] = Counter()
    for table, _ in failing:
        found[table] += 1
        if found != count and not _may_be_better(found, count):
            return False
    return True


def _may_be_better(count: Counter[str], fewest: Counter[str]) -> bool:
    """Whether what looks wrong so far leaves room for fewer tables, or for fewer parts in the same ones."""
    return len(count) < len(fewest) or (set(count) == set(fewest) and count.total() < fewest.total())
