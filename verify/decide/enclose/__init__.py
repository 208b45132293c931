"""Can the claim be refuted?  Enclosures of both sides at exact points, on every piece that is found.

search     tries to refute a claim, or says how closely its sides agree        (hunt, pieces, points, simplest)
balls      evaluates an expression with its derivatives                         (jets, series, steps, cuts, special)
"""
