"""Independent numeric routes: nothing here may decide alone, everything here may disagree."""

import os

# The matrices here are small: threads slow them down seventyfold on a busy machine, and the last digit of a sum
# depends on how many there are.  Whoever imported numpy or set the variable before has decided otherwise.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
