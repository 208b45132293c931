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
from flint import arb_mat

from verify.numerics.enclosure.series import UNIT

#: (m, r) for the set m + Q r, where r is symmetric about 0.
Part: TypeAlias = tuple[arb_mat, arb_mat]


@dataclass(frozen=True)
class Frame:
    """One Q for several sets m + Q r; frozen, since the r mean nothing in another frame."""

    Q: arb_mat

    @classmethod
    def identity(cls, n: int) -> Frame:
        return cls(arb_mat(np.eye(n).tolist()))

    def hull(self, part: Part) -> arb_mat:
        """A box around the set."""
        m, r = part
        return m + self.Q * r

    def move(self, J: arb_mat, parts: Sequence[Part], images: Sequence[arb_mat]) -> tuple[Frame, list[Part]]:
        """The new frame, and in it sets that contain images[i] + J Q r_i; the first set's width orders the columns.

        Raises ZeroDivisionError where the new Q cannot be inverted.
        """
        JQ = J * self.Q
        turned = _floats(JQ)
        widths = np.array([float(x.rad()) + 1e-300 for x in parts[0][1].entries()])
        Q = np.eye(len(turned))
        if np.isfinite(turned).all():
            lengths = np.linalg.norm(turned, axis=0) * widths
            Q = np.linalg.qr(turned[:, np.argsort(-lengths, kind="stable")])[0]
        after = Frame(arb_mat(Q.tolist()))
        inverse = after.Q.inv()
        M = inverse * JQ
        moved = []
        for (_, r), image in zip(parts, images, strict=True):
            mid = image.mid()
            moved.append((mid, _symmetric(M * r + inverse * (image - mid))))
        return after, moved


def _symmetric(M: arb_mat) -> arb_mat:
    """The entries as balls around 0 that contain them."""
    return arb_mat(M.nrows(), M.ncols(), [UNIT * x for x in M.entries()])


def _floats(M: arb_mat) -> np.ndarray:
    return np.array([float(x.mid()) for x in M.entries()]).reshape(M.nrows(), M.ncols())


def centred(M: arb_mat) -> Part:
    """A set with Q = 1."""
    mid = M.mid()
    return mid, _symmetric(M - mid)
