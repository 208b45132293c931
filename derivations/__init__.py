"""One file, one result: each reads like a page of a textbook and runs as a script."""
