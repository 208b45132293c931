"""Where is the gradient of an ODE problem, provably?  Validated enclosures, in balls."""

from __future__ import annotations

from verify.numerics.enclosure.ball import Ball
from verify.numerics.enclosure.enclose import Enclosure, EventTime, Fail, enclose

__all__ = ["Ball", "Enclosure", "EventTime", "Fail", "enclose"]
