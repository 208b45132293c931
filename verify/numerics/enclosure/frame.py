"""How is a set carried along without growing on the way?  As m + Q r, with an orthogonal Q that turns with the flow.

Lohner's frame: the image of m + Q r under y -> Z + J(y - m) is contained in mid(Z) + Q' r' with
r' = (Q'^-1 J Q) r + Q'^-1 (Z - mid(Z)), whatever the invertible Q'; the QR factor of J Q, columns in the order of their
width, keeps r' small.  Q' is taken as the exact matrix of its doubles, and its inverse is enclosed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from flint import arb, arb_mat

from verify.numerics.enclosure.series import UNIT

#: (m, r) for the set m + Q r, where r is symmetric about 0.
Part: TypeAlias = tuple[arb_mat, arb_mat]


@dataclass(frozen=True)
class Frame:
    """One Q for several sets m + Q r; frozen, since the r mean nothing in another frame.

    lead    size of the block that Q repeats along its diagonal: in a system of states and sensitivities all of them
            move with the flow of the states, which is the leading block of J.
    """

    Q: arb_mat
    lead: int

    @classmethod
    def identity(cls, n: int, lead: int = 0) -> Frame:
        return cls(arb_mat(np.eye(n).tolist()), lead or n)

    def hull(self, part: Part) -> arb_mat:
        """A box around the set."""
        m, r = part
        return m + self.Q * r

    def move(self, J: arb_mat, parts: Sequence[Part], images: Sequence[arb_mat]) -> tuple[Frame, list[Part]]:
        """The new frame, and in it sets that contain images[i] + J Q r_i; the first set's width orders the columns.

        Raises ZeroDivisionError where the new Q cannot be inverted.
        """
        JQ, n, lead = J * self.Q, J.nrows(), self.lead
        turned = _floats(JQ)[:lead, :lead]
        widths = np.array([float(x.rad()) + 1e-300 for x in parts[0][1].entries()[:lead]])
        Q = np.eye(lead)
        if np.isfinite(turned).all():
            lengths = np.linalg.norm(turned, axis=0) * widths
            Q = np.linalg.qr(turned[:, np.argsort(-lengths, kind="stable")])[0]
        block = arb_mat(Q.tolist())
        after, inverse = Frame(_repeated(block, n), lead), _repeated(block.inv(), n)
        M = inverse * JQ
        moved = []
        for (_, r), image in zip(parts, images, strict=True):
            mid = image.mid()
            moved.append((mid, _symmetric(M * r + inverse * (image - mid))))
        return after, moved


def _repeated(block: arb_mat, n: int) -> arb_mat:
    """The block along the diagonal of an n x n matrix."""
    lead = block.nrows()
    if lead == n:
        return block
    zero, known = arb(0), block.tolist()
    return arb_mat(
        [[known[i % lead][j % lead] if i // lead == j // lead else zero for j in range(n)] for i in range(n)]
    )


def _symmetric(M: arb_mat) -> arb_mat:
    """The entries as balls around 0 that contain them."""
    return arb_mat(M.nrows(), M.ncols(), [UNIT * x for x in M.entries()])


def _floats(M: arb_mat) -> np.ndarray:
    return np.array([float(x.mid()) for x in M.entries()]).reshape(M.nrows(), M.ncols())


def centred(M: arb_mat) -> Part:
    """A set with Q = 1."""
    mid = M.mid()
    return mid, _symmetric(M - mid)
