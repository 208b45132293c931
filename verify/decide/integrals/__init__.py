"""What do integrals and expectations say, and which identities between them are true?

standard   expectations with their parameters inside, as integrals, and with derivatives taken under the integral sign
"""
