"""Which sign does a factor have on the current cell of the domain?

A cell is a set of signs that are taken for granted; the prover has to prove the claim on every cell that no certificate
closes.  A sign is certified by ranges, by the definedness of the claim (log(u) and u^(p/q) need u > 0, asin(u) needs
1 - u^2 >= 0, and a declared condition is one more such fact), or else it is asked for: the cell is split.
A fact is an equation between signs: the product of the signs of its factors is +1.  Facts are a linear system over the
field with two elements; a contradiction between facts that hold outside of thin sets closes the cell as empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from types import MappingProxyType

from flint import fmpz_mpoly

from verify.decide.prove.ranges import Ranges
from verify.decide.prove.tower import Element, GiveUp, NeedSign, Tower

Factors = Iterable[tuple[fmpz_mpoly, int]]
_NONE: Mapping[str, int] = MappingProxyType({})


class EmptyCell(Exception):
    """No admissible point has the signs of this cell."""


class Signs:
    """Signs of polynomials of one tower on one cell."""

    def __init__(
        self, tower: Tower, ranges: Ranges, integers: frozenset[str] = frozenset(), assumed: Mapping[str, int] = _NONE
    ) -> None:
        self.tower = tower
        self.ranges = ranges
        self.integers = integers
        self.assumed = assumed
        self.alike: Callable[[fmpz_mpoly], tuple[Fraction, Factors] | None] = lambda _: None
        """A number and factors whose product has the same sign as a polynomial: exp(b) - 1 and b, say."""
        self.known: dict[str, tuple[fmpz_mpoly, int]] = {}
        self.count = 0
        """Facts met so far: more of them may settle what was open before."""
        self._tried: dict[str, int] = {}
        self._linked: set[str] = set()
        self._facts: list[tuple[frozenset[str], int, bool]] = []
        self._polynomials: dict[str, fmpz_mpoly] = {}
        self._nonzero: set[str] = set()
        self._digests: dict[int, str] = {}

    # --- facts --------------------------------------------------------------------------------

    def fact(self, constant: int, factors: Factors, strict: bool, alike: bool = False) -> None:
        """constant * product of P^m is positive (strict) or not negative wherever the claim is defined.

        alike   the first factor vanishes where the others do, so that it may be eliminated.
        """
        factors = list(factors)
        if strict:
            self._nonzero.update(str(p) for p, _ in factors)
        odd = [p for p, m in factors if m % 2]
        keys = frozenset(str(p) for p in odd)
        bit = 0 if constant > 0 else 1
        hidden = not strict and any(m > 0 and not self.thin(p) for p, m in factors)
        if hidden and len(factors) > 1 and not alike:
            return  # where one of them vanishes identically, this says nothing of the others
        clean = not hidden
        if any(f[0] == keys and f[1] == bit and f[2] >= clean for f in self._facts):
            return
        for p in odd:
            self._certificate(p)  # first, so that a fact against a certificate closes the cell
        self._polynomials.update((str(p), p) for p in odd)
        self._facts.append((keys, bit, clean))
        self.count += 1
        self._consequences()

    def nonzero(self, factors: Factors) -> None:
        """The factors vanish on thin sets at most: they stand in a denominator or under a logarithm."""
        self._nonzero.update(str(p) for p, _ in factors)

    def _reduced(self) -> list[tuple[frozenset[str], int, bool]]:
        rows: list[tuple[frozenset[str], int, bool]] = []
        for keys, bit, clean in self._facts:
            open_keys = set()
            for key in keys:
                if key in self.known:
                    bit ^= self.known[key][1] < 0
                else:
                    open_keys.add(key)
            row = (frozenset(open_keys), int(bit), clean)
            for other in rows:
                if min(other[0]) in row[0]:
                    row = (row[0] ^ other[0], row[1] ^ other[1], row[2] and other[2])
            if row[0]:
                pivot = min(row[0])
                rows = [(r[0] ^ row[0], r[1] ^ row[1], r[2] and row[2]) if pivot in r[0] else r for r in rows]
                rows.append(row)
            elif row[1] and row[2]:
                raise EmptyCell
        return rows

    def _consequences(self) -> None:
        """Signs that the facts leave no choice for."""
        again = True
        while again:
            again = False
            for keys, bit, _ in self._reduced():
                if len(keys) == 1:
                    (key,) = keys
                    self._learn(self._polynomials[key], -1 if bit else 1)
                    again = True
                    break

    def _learn(self, p: fmpz_mpoly, sign: int) -> None:
        self.known[str(p)] = (p, sign)
        if self.ranges.tighten(p, sign):
            raise EmptyCell
        self._tried.clear()

    # --- questions ----------------------------------------------------------------------------

    def sign(self, p: fmpz_mpoly) -> int:
        """1 where p >= 0 on the whole cell, -1 where p <= 0; NeedSign where nothing tells."""
        if p.is_constant():
            return 1 if p.leading_coefficient() > 0 else -1
        found = self._certificate(p)
        if found:
            return found
        raise NeedSign(p)

    def of(self, constant: int, factors: Factors) -> int:
        """Sign of constant * product of P^m; the facts may know it where they do not know each factor's."""
        sign = 1 if constant > 0 else -1
        unknown = []
        for p, m in factors:
            if m % 2:
                found = self._certificate(p)
                sign *= found or 1
                if not found:
                    unknown.append(p)
        if not unknown:
            return sign
        row, bit = frozenset(map(str, unknown)), 0
        for other in self._reduced():
            if min(other[0]) in row:
                row, bit = row ^ other[0], bit ^ other[1]
        if not row:
            return -sign if bit else sign
        raise NeedSign(unknown[0])

    def thin(self, p: fmpz_mpoly) -> bool:
        """Whether p, if it is not the zero polynomial, vanishes on a thin set only.

        True for variables that are no integers, exponentials, tangents, logarithms without roots inside, and roots
        without roots inside: by the structure theorem of Risch these are independent.  Otherwise a hidden identity
        might make p vanish everywhere (atan(x) + atan(1/x) - pi/2).
        """
        return str(p) in self._nonzero or self.moving(self.tower.polynomial(p))

    def moving(self, e: Element) -> bool:
        """Whether e takes each value on a thin set only (see `thin`): it is no constant in disguise."""
        moving = False
        for i in self.tower.below(e):
            kernel = self.tower.kernels[i]
            inner = {self.tower.kernels[j].kind for j in self.tower.below(*kernel.args)}
            if kernel.kind == "call" or (kernel.kind in ("log", "root") and "root" in inner):
                return False
            if kernel.kind == "symbol":
                if kernel.data in self.integers:
                    return False
                moving = True
        return moving

    def jump(self, constant: int, factors: Factors) -> int:
        """The sign for a quantity that jumps with it; GiveUp unless it vanishes on a thin set only."""
        factors = list(factors)
        for p, _ in factors:
            if not self.thin(p) and not self._strict(p):
                raise GiveUp("a jump where a quantity may vanish identically")
        return self.of(constant, factors)

    def _strict(self, p: fmpz_mpoly) -> bool:
        """Whether p stays off zero on the whole domain."""
        whole = self.ranges.polynomial(p)
        return (whole.low is not None and whole.low > 0) or (whole.high is not None and whole.high < 0)

    def _certificate(self, p: fmpz_mpoly) -> int:
        if p.is_constant():
            return 1 if p.leading_coefficient() > 0 else -1
        key = str(p)
        if key in self.known:
            return self.known[key][1]
        if key in self._tried:
            return self._tried[key]
        sign = self.ranges.certify(p, self.known)
        alike = None
        if not sign:
            sign = self.assumed.get(self.digest(p), 0) or -self.assumed.get(self.digest(-p), 0) if self.assumed else 0
            alike = self.alike(p) if key not in self._linked else None
        self._linked.add(key)
        self._tried[key] = sign
        if sign:
            self._learn(p, sign)
        if alike is not None:
            self.fact(1 if alike[0] > 0 else -1, [(p, 1), *alike[1]], strict=False, alike=True)
        elif sign:
            self._consequences()
        return self.known[key][1] if key in self.known else 0

    # --- names of polynomials that outlive the tower ------------------------------------------

    def digest(self, p: fmpz_mpoly) -> str:
        """A name of the function that p is: the same in every tower, whatever its generators are numbered."""
        terms = []
        for monomial, c in p.to_dict().items():
            factors = sorted(f"{self._generator_digest(i)}^{k}" for i, k in enumerate(monomial) if k)
            terms.append(f"{c}*{'*'.join(factors)}")
        return _hashed("+".join(sorted(terms)))

    def _generator_digest(self, i: int) -> str:
        if i not in self._digests:
            kernel = self.tower.kernels[i]
            args = ",".join(self.element_digest(a) for a in kernel.args)
            self._digests[i] = _hashed(f"{kernel.kind}:{kernel.data}({args})")
        return self._digests[i]

    def element_digest(self, e: Element) -> str:
        """A name of the function that e is."""
        return min(f"{self.digest(s * e.num)}/{self.digest(s * e.den)}" for s in (1, -1))


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
