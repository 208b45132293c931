"""From a problem to its reference expressions, in SymPy."""
