"""Does the gradient at every point of a box lie in what is proved for the box?  Closed forms at its points say so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import product
from random import Random

import pytest
from flint import arb, arb_mat
from test_enclosure import KNOWN, Known, ode, proved

from verify.numerics.enclosure import Enclosure, Fail, enclose, forward, objective
from verify.numerics.enclosure.forward import Sets
from verify.numerics.enclosure.frame import centred
from verify.systems import OdeProblem

Box = dict[str, tuple[Fraction, Fraction]]


def boxed(known: Known, rng: Random, width: Fraction) -> Box:
    """Around a point; every other name has no width."""
    at = known.draw(rng)
    if known.closed == "1/(1 - p*T)":
        at["T"] = min(at["T"], Fraction(1, 2))
    return {name: (x, x + (width if k % 2 == 0 else 0)) for k, (name, x) in enumerate(at.items())}


def corners(box: Box, rng: Random, inner: int) -> list[dict[str, Fraction]]:
    """The corners of a box, and some points in it."""
    found = [dict(zip(box, point, strict=True)) for point in product(*box.values())]
    for _ in range(inner):
        found.append({name: a + (b - a) * Fraction(rng.randint(0, 100), 100) for name, (a, b) in box.items()})
    return found


def misses(known: Known, box: Box, found: Enclosure, rng: Random) -> int:
    count = 0
    for point in corners(box, rng, 4):
        truth = known.truth(point)
        claimed = {"G": found.objective, **{name: found.gradient[name] for name in known.names()}}
        count += sum(ball.apart(truth[name]) for name, ball in claimed.items())
    return count


@pytest.mark.parametrize("width", ["1/10000000000", "1/1000", "1/20"])
@pytest.mark.parametrize("name", KNOWN)
def test_the_gradient_at_every_point_of_a_box_is_inside(name: str, width: str) -> None:
    known, rng = KNOWN[name], Random(3)
    for adjoint in (False, True):
        box = boxed(known, rng, Fraction(width))
        found = enclose(known.problem, box, adjoint=adjoint)
        assert isinstance(found, Enclosure) or width == "1/20", (found, box)
        assert isinstance(found, Fail) or misses(known, box, found, rng) == 0


@pytest.mark.thorough
@pytest.mark.parametrize("name", KNOWN)
def test_the_gradient_at_every_point_of_many_boxes_is_inside(name: str) -> None:
    known, rng, proofs = KNOWN[name], Random(4), 0
    for trial in range(40):
        box = boxed(known, rng, Fraction(1, 2 ** rng.randint(3, 40)))
        found = enclose(known.problem, box, adjoint=trial % 3 == 0, pieces=1 + trial % 4)
        if isinstance(found, Enclosure):
            proofs += 1
            assert misses(known, box, found, rng) == 0, box
    assert proofs > 25


def short(T: str) -> OdeProblem:
    return ode("x y", "a b", "a*x - b*x*y; -3*y + x*y", "1; 1", f"0;{T}", "((x - 2)^2 + (y - 1)^2)/2")


def test_the_sign_of_a_gradient_is_proved_over_a_box() -> None:
    box = {"a": ("0.9", "1.1"), "b": 1}
    found = proved(enclose(short("1"), box, pieces=4, seconds=60))
    assert 1 < found.pieces <= 4
    assert found.gradient["a"].high < 0 < found.gradient["b"].low
    rng = Random(5)
    for _ in range(5):
        point = {**box, "a": Fraction(rng.randint(900, 1100), 1000)}
        there = proved(enclose(short("1"), point, radius=1e-15))
        assert there.objective.mid in found.objective
        assert all(there.gradient[name].mid in ball for name, ball in found.gradient.items())
    whole = proved(enclose(short("1"), box))
    assert whole.radius > found.radius


def test_the_errors_over_a_box_are_of_second_order() -> None:
    excess = []
    for width in ("0.004", "0.001"):
        box = {"b": 1, "a": (Fraction("1.5") - Fraction(width), Fraction("1.5") + Fraction(width))}
        found = proved(enclose(short("1"), box)).gradient["a"]
        ends = [float(proved(enclose(short("1"), {"b": 1, "a": a})).gradient["a"]) for a in box["a"]]
        excess.append(2 * float(found.radius) - abs(ends[1] - ends[0]))
    assert 0 < excess[1] < excess[0] / 8


def test_a_piece_that_has_no_solution_is_named() -> None:
    found = enclose(KNOWN["near blow-up"].problem, {"p": ("0.5", "1.5"), "T": 1}, pieces=4)
    assert isinstance(found, Fail)
    assert "p in [" in found.reason


def test_pieces_are_at_least_one() -> None:
    with pytest.raises(ValueError, match="pieces"):
        enclose(short("1"), {"a": 1, "b": 1}, pieces=0)


# --- what must not be left out -----------------------------------------------------------------------------


def without_what_varies(self: Sets, step: forward.Step) -> Sets:
    """As if J C + P were the same for all points."""
    return moved(self, step, drop="varies")


def without_names(self: Sets, step: forward.Step) -> Sets:
    """As if the names had no influence within the step."""
    return moved(self, step, drop="names")


def moved(self: Sets, step: forward.Step, drop: str) -> Sets:
    J, P, wide = step.by_start, step.by_names, self.xi.nrows()
    spread = J * self.C
    if drop != "names":
        spread += arb_mat(P.nrows(), wide, [P[i, j] for i in range(P.nrows()) for j in range(wide)])
    C = spread.mid()
    rest = (spread - C) * self.xi * (0 if drop == "varies" else 1)
    same = self.parts[2][0].ncols() == P.ncols()
    images = [step.middle + rest, J * self.parts[1][0], J * self.parts[2][0] + P if same else self.parts[2][0]]
    frame, parts = self.frame.move(J, self.parts, images)
    return Sets(frame, parts, C, self.xi)


MUTANTS: Mapping[str, tuple[object, str, Callable]] = {
    "J C + P held fixed": (Sets, "moved", without_what_varies),
    "the names held fixed within a step": (Sets, "moved", without_names),
    "the slopes of what is observed dropped": (objective, "_spread", lambda *_: arb(0)),
}


def boxes_missed() -> int:
    count = 0
    for name in ("growth", "oscillator", "logistic", "two times", "decay"):
        rng = Random(6)
        for _ in range(3):
            box = boxed(KNOWN[name], rng, Fraction(1, 30))
            found = enclose(KNOWN[name].problem, box)
            if isinstance(found, Enclosure):
                count += misses(KNOWN[name], box, found, rng)
    return count


def test_nothing_is_missed_where_the_mutants_are_looked_for() -> None:
    assert boxes_missed() == 0


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_box_rule_that_forgets_a_part_is_caught(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, wrong = MUTANTS[mutant]
    monkeypatch.setattr(where, name, wrong)
    assert boxes_missed() > 0


def test_an_initial_value_that_is_taken_for_linear_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Sets.of

    def wrong(start: arb_mat, slope: arb_mat, driven: arb_mat, xi: arb_mat, lead: int) -> Sets:
        made = right(start, slope, driven, xi, lead)
        return Sets(made.frame, [centred(start), *made.parts[1:]], made.C, made.xi)

    monkeypatch.setattr(Sets, "of", wrong)
    assert boxes_missed() > 0
