"""Which identities between integrals and expectations are true?  `prove` is the way through.

standard        expectations with their parameters inside; where a derivative may go under the integral sign
terms           an integrand as a sum of c x^k exp(p(x)) cos(q(x)) times what is left
gaussian        means of such terms under the normal law                       stein: integration by parts there
antiderivative  values of integrals, by guesses that are proved                guesses, smooth
prove           sums of integrals: by limits and laws, by their integrands, by the derivative by a limit   (linear)
"""
