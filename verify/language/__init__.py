"""How are claims and formulas read and written?  Text to graph and back; nothing is ever evaluated."""

from verify.language.claims import read_claim, read_let
from verify.language.errors import ReadError
from verify.language.read import read_expression
from verify.language.tokens import is_latex
from verify.language.write import names_in, write, write_claim, write_variable

__all__ = [
    "ReadError", "is_latex", "names_in", "read_claim", "read_expression", "read_let", "write", "write_claim",
    "write_variable",
]  # fmt: skip
