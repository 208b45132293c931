"""Is a claim on vectors, matrices or abstract functions right?  `stages` is the way through."""
