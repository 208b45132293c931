"""Which claims does a piece of LaTeX make?  It becomes the tokens of the text grammar, with their places in LaTeX."""

from verify.language.latex.displays import Equality, equalities, is_latex, read_latex, read_latex_claim

__all__ = ["Equality", "equalities", "is_latex", "read_latex", "read_latex_claim"]
