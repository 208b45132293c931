"""What can the person at the keyboard mend, and with which status does the program end?"""

from __future__ import annotations

EXIT_USAGE, EXIT_UNDECIDED, EXIT_INTERRUPTED = 2, 3, 130


class UsageError(Exception):
    """Bad usage, or a file that cannot be read; shown as one message, exit status 2."""
