"""Is the gradient of a Python function right?  `check` is the way through; floating point, so it never proves."""
