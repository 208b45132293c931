"""What does `verify derive "grad_X tr(A*X*B) with X: matrix(m,n), …"` do and print?

The derivative is made by rules, and what is printed is judged like any other claim.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from verify.claim import Claim
from verify.graph import Node, postorder
from verify.usage import EXIT_UNDECIDED, UsageError
from verify.verdict import Result, Verdict

OPERATORS = ("derivative", "gradient", "jacobian", "hessian", "divergence")


@dataclass(frozen=True)
class Derived:
    """The claim expression = derivative, and what was decided of it."""

    claim: Claim
    result: Result


def is_formula(text: str) -> bool:
    """Whether the text is an expression with a derivative, and not the name of a derivation."""
    return any(sign in text for sign in ("_", "d/d", "d^", "diff(", "\\", " ", "(")) and not text.endswith(".toml")


def derived(text: str, let: Mapping[str, str | list[str]] | None = None, *, seed: int = 0, **limits: Any) -> Derived:
    """The derivative of an expression, proved (or supported) by the decision on it.

    limits   `timeout` in seconds and `memory` in megabytes of the decision.

    Raises UsageError for text that cannot be read, and where there is no formula or the one found is wrong.
    """
    from verify import check

    claim = read(text, let)
    try:
        formula = carried_out(claim)
    except ValueError as reason:
        raise UsageError(f"not derived: {reason}") from None
    found = replace(claim, rhs=formula, text="")
    result = check(found, seed=seed, **limits)
    if result.verdict is Verdict.REFUTED:
        raise UsageError("not derived: the formula that was found is wrong, which is a defect of this program")
    return Derived(found, replace(result, claim=text))


def read(text: str, let: Mapping[str, str | list[str]] | None = None) -> Claim:
    """The expression as the left-hand side of a claim.  Raises UsageError."""
    from verify.language import ReadError, is_latex, read_claim
    from verify.language.latex import read_latex_claim

    expression, separator, declarations = text.partition(" with ")
    if "=" in expression:
        raise UsageError("derive takes the expression alone; `verify check` judges equations")
    whole = f"{expression} = 0{separator}{declarations}"
    try:
        claim = read_latex_claim(whole, let) if is_latex(whole) else read_claim(whole, let)
    except ReadError as error:
        raise UsageError(str(error)) from None
    if not any(node.op in OPERATORS for node in postorder(claim.lhs)):
        raise UsageError("nothing is differentiated here; write d/dx, grad_x, jac_x, hess_x or div_x before it")
    return claim


def carried_out(claim: Claim) -> Node:
    """The left-hand side with its derivatives carried out.  Raises ValueError where there is no formula."""
    if claim.is_shaped:
        from verify.calculus.matrix_derivative import carried_out as in_matrices

        return in_matrices(claim.lhs, claim.domain.variables, structured=claim.domain.structured)
    from verify.decide.diagnose.formula import expanded

    return expanded(claim.lhs)


def derive(text: str, let: Sequence[str], *, code: bool, as_json: bool, seed: int, **limits: Any) -> int:
    """Print the derivative and the verdict on it, or NumPy code for it.  Raises UsageError."""
    from verify.language import write
    from verify.terminal import Terminal, evidence_text

    whole = f"{text} with {', '.join(let)}" if let and " with " not in text else ", ".join((text, *let))
    found = derived(whole, seed=seed, **limits)
    variables = found.claim.domain.variables
    formula = write(found.claim.rhs, variables)
    if code:
        print(module(found), end="")
    elif as_json:
        print(json.dumps({"expression": write(found.claim.lhs, variables), "derivative": formula,
                          **found.result.to_json()}))  # fmt: skip
    else:
        terminal = Terminal.of(sys.stdout)
        terminal.row("expression", write(found.claim.lhs, variables))
        terminal.row("derivative", formula)
        terminal.row("verdict", terminal.verdict(found.result.verdict.name))
        for evidence in found.result.evidence:
            terminal.row("evidence", evidence_text(evidence))
        for note in found.result.notes:
            terminal.row("note", note)
    return 0 if found.result.verdict >= Verdict.SUPPORTED else EXIT_UNDECIDED


def module(found: Derived) -> str:
    """NumPy code for the derivative, and for what is differentiated.  Raises UsageError."""
    from verify.calculus.matrix_code import module as written
    from verify.language import write

    claim = found.claim
    body = claim.lhs.args[0] if claim.lhs.op in OPERATORS else None
    if body is not None and any(node.op in OPERATORS for node in postorder(body)):
        body = None
    lhs, rhs = (write(side, claim.domain.variables) for side in (claim.lhs, claim.rhs))
    says = f"A derivative, written by `verify derive --code`.\n\n    {lhs}\n        = {rhs}\n"
    try:
        return written(body, claim.rhs, claim.domain.variables, says=says)
    except ValueError as reason:
        raise UsageError(f"no code: {reason}") from None
