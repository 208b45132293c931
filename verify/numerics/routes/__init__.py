"""Which routes lead to the gradient of an ODE problem, how far may each be trusted, and how far off is it?"""

from __future__ import annotations

from verify.numerics.routes.tables import Row, Table, table

__all__ = ["Row", "Table", "table"]
