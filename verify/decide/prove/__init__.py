"""Is the claim true everywhere?  An exact argument in a tower of kernels, or none; `proof` is the way through."""
