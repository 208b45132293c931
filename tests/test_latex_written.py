"""What another hand writes in LaTeX is read back as the very same expression."""

import json
from pathlib import Path
from random import Random

import pytest
from latex_writer import NotWritten, in_latex

from verify.language import ReadError, read_claim, write_variable
from verify.language.latex import equalities

_DATA = Path(__file__).parent / "data"
#: Readings that are refused since LaTeX leaves open what text says: a number behind a value, one index twice.
_OPEN = (
    "a number follows a value", "index of another sum", "function or a product", "more than one letter", "transpose",
    "imaginary unit",
)  # fmt: skip


def _sides(file):
    for line in (_DATA / file).read_text().splitlines():
        row = json.loads(line)
        try:
            claim = read_claim(row["claim"], row.get("let"))
        except ReadError:
            continue
        variables = claim.domain.variables.values()
        # An identity matrix among numbers alone is a quantity I_n in LaTeX.
        if not claim.domain.conditions and (any(each.shape for each in variables) or not claim.is_shaped):
            let = {name: write_variable(each) for name, each in claim.domain.variables.items() if each.field != "size"}
            yield from ((side, let) for side in (claim.lhs, claim.rhs))


@pytest.mark.parametrize(
    ("file", "least"),
    [("matrix_claims.jsonl", 1000), ("cookbook_claims.jsonl", 100), ("integral_claims.jsonl", 50), ("hand.jsonl", 50)],
)
def test_expressions_written_in_latex_are_read_as_themselves(file, least):
    rng = Random(5)
    read = 0
    for side, let in _sides(file):
        try:
            latex = in_latex(side, rng)
        except NotWritten:
            continue
        try:
            (equality,) = equalities(rf"\left({latex}\right) = ({latex})", let)
        except ReadError as error:
            equality = error
        else:
            equality = equality.claim
        if isinstance(equality, ReadError):
            assert any(reason in str(equality) for reason in _OPEN), f"{latex}\n{equality}"
            continue
        read += 1
        assert (equality.lhs, equality.rhs) == (side, side), latex
    assert read > least
