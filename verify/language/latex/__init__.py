"""Which claims does a piece of LaTeX make?  It becomes the tokens of the text grammar, with their places in LaTeX."""

from verify.language.latex.chains import Defined, NotJudged
from verify.language.latex.definitions import Definition
from verify.language.latex.displays import Equality, equalities, read_latex, read_latex_claim
from verify.language.latex.macros import Macro, macros_of

__all__ = [
    "Defined", "Definition", "Equality", "Macro", "NotJudged", "equalities", "macros_of", "read_latex",
    "read_latex_claim",
]  # fmt: skip
