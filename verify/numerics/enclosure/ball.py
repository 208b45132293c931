"""What is a ball outside of FLINT?  An exact midpoint and an exact radius, which can be compared, sent and printed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flint import arb, ctx, fmpq

#: Bits beyond the radius that a text shows, the fewest digits of one, and the most bits that are looked at.
GUARD, DIGITS, MOST = 16, 15, 20_000


@dataclass(frozen=True)
class Ball:
    """All numbers within `radius` of `mid`; both exact."""

    mid: Fraction
    radius: Fraction

    @classmethod
    def of(cls, x: arb) -> Ball:
        """The same ball.  Raises ValueError for one that is not finite."""
        if not x.is_finite():
            raise ValueError(f"{x} is no finite ball")
        return cls(_exact(x.mid()), _exact(x.rad()))

    @property
    def text(self) -> str:
        """The ball in decimal digits, `[1.0986123 +/- 2.1e-14]`, never narrower than the ball; `-0.5` if exact."""
        ratio = abs(self.mid) / self.radius if self.radius and self.mid else Fraction(2) ** 192
        bits = min(max(64, int(ratio).bit_length() + GUARD), MOST)
        before, ctx.prec = ctx.prec, bits
        try:
            text = (ball(self.mid) + arb(0, ball(self.radius).abs_upper())).str(max(DIGITS, int(0.30103 * bits)))
            return text if "." not in text or "e" in text or "[" in text else text.rstrip("0").rstrip(".")
        finally:
            ctx.prec = before

    @property
    def low(self) -> Fraction:
        return self.mid - self.radius

    @property
    def high(self) -> Fraction:
        return self.mid + self.radius

    def __contains__(self, x: Fraction | int) -> bool:
        return self.low <= x <= self.high

    def __float__(self) -> float:
        return float(self.mid)

    def apart(self, other: Ball) -> bool:
        """Whether no number lies in both."""
        return self.high < other.low or other.high < self.low

    def to_json(self) -> dict[str, str | float]:
        return {"ball": self.text, "mid": float(self.mid), "radius": float(self.radius)}


def ball(x: Fraction | int) -> arb:
    """An exact number at the precision of the moment."""
    q = Fraction(x)
    return arb(fmpq(q.numerator, q.denominator))


def _exact(x: arb) -> Fraction:
    """An exact ball as a fraction."""
    mantissa, exponent = (int(part) for part in x.man_exp())
    return Fraction(mantissa << exponent) if exponent >= 0 else Fraction(mantissa, 1 << -exponent)
