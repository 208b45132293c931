"""Is an identity of vectors and matrices true at every size?  Sums of contraction graphs, equal when isomorphic.

space        the atoms of one proof, numbered
canonical    one labelling for all isomorphic graphs
sums         coefficient * graph, added up; einsum; products settled into their normal form
relations    what atoms do to each other: W P = 1 for an inverse W of P, Q'Q = 1, sin² + cos² = 1
elementwise  powers, exp, log, abs and other functions of each entry
words        terms that are products of matrices
matrices     inverse and determinant of a matrix
exponentials exponential and logarithm of a matrix
commuting    what those do to the matrices beside them
axes         which axes are rows and which are columns, in Kronecker products too
equations    equations among the conditions, put in
abstract     declared functions and their partial derivatives
certified    what a rule may divide by though the text does not
derive       Leibniz' rule and the rules of the atoms
substitute   a symbol replaced: structure put back after a differentiation
functions    products, norms, softmax … of values with labelled axes
expand       from an expression to its sum of graphs
evaluate     the value of a sum in balls, at sizes that are numbers
guard        normal forms compared with their text
prove        the difference of both sides is zero
"""

from verify.decide.contraction.prove import prove

__all__ = ["prove"]
