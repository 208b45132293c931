"""What is wrong with a text, where, and how can it be mended?  One message says it all."""

from __future__ import annotations

#: Characters of the text that are shown on either side of the column.
WINDOW = 50


class ReadError(ValueError):
    """A text that cannot be read: one message with the column, the place itself and a way out.

    what      what is wrong.
    column    where in the text, counted from 1.
    mend      what to write instead; may be empty.
    text      the whole text that was read.
    """

    def __init__(self, what: str, text: str, position: int, mend: str = "") -> None:
        self.what, self.text, self.column, self.mend = what, text, position + 1, mend
        start, end = max(0, position - WINDOW), position + WINDOW
        # A control character or half a surrogate pair must not reach the terminal; one '?' keeps the columns.
        shown = "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text[start:end])
        before, after = "…" * (start > 0), "…" * (end < len(text))
        advice = f"; {mend}" if mend else ""
        caret = " " * (len(before) + position - start) + "^"
        super().__init__(f"column {self.column}: {what}{advice}\n  {before}{shown}{after}\n  {caret}")

    def __reduce__(self) -> tuple[type[ReadError], tuple[str, str, int, str]]:
        return ReadError, (self.what, self.text, self.column - 1, self.mend)
