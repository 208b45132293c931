"""Which claims does a piece of LaTeX make?  It becomes the tokens of the text grammar, with their places in LaTeX."""

from verify.language.latex.displays import is_latex, read_latex, read_latex_claim

__all__ = ["is_latex", "read_latex", "read_latex_claim"]
