"""Is an identity of vectors and matrices true at every size?  Sums of contraction graphs, equal when isomorphic.

space        the atoms of one proof, numbered
sums         coefficient * graph, added up; einsum; products settled into their normal form
canonical    one labelling for all isomorphic graphs
relations    what atoms do to each other: W P = 1 for an inverse W of P, Q'Q = 1, sin² + cos² = 1
elementwise  powers, exp, log, abs and other functions of each entry
matrices     inverse, determinant, exponential of a matrix
derive       Leibniz' rule and the rules of the atoms
expand       from an expression to its sum of graphs
prove        the difference of both sides is zero
"""

from verify.decide.contraction.prove import prove

__all__ = ["prove"]
