"""What went wrong in a refuted claim?  `diagnosis` finds the smallest slip, and the formula without it."""
