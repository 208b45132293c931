"""Derivatives of formulas in vectors and matrices: short, proved, and right as code."""

import json
import random
import subprocess
import sys

import numpy as np
import pytest

from verify.calculus.matrix_derivative import NoFormula, carried_out
from verify.cli import main
from verify.decide import decide
from verify.formula_commands import Derived, module, read
from verify.language import read_claim, write
from verify.usage import UsageError
from verify.verdict import Verdict

LETTERS = (
    "X: matrix(m,n), Y: matrix(n,n), A: matrix(m,m), B: matrix(n,n), S: spd(n), x: vector(n), a: vector(n), t: real"
)
DERIVED = [
    ("grad_X tr(A*X*B*X')", "A*X*B + A'*X*B'"),
    ("grad_Y logdet(Y)", "inv(Y)'"),
    ("grad_Y log(det(Y))", "inv(Y)'"),
    ("grad_Y det(Y)", "det(Y)*inv(Y)'"),
    ("grad_Y tr(inv(Y)*B)", "-inv(Y)'*B'*inv(Y)'"),
    ("grad_Y tr(Y^4)", "4*Y'^3"),
    ("grad_Y tr(expm(Y))", "expm(Y)'"),
    ("grad_Y (a'*Y*x)", "a*x'"),
    ("grad_x (x'*B*x)", "(B + B')*x"),
    ("grad_x (x'*S*x)", "2*S*x"),
    ("grad_x norm(X*x)^2", "2*X'*X*x"),
    ("grad_x norm(x - a)", "(x - a)/norm(x - a)"),
    ("grad_x sum(exp(B*x))", "B'*exp(B*x)"),
    ("grad_x sum(abs(x))", "sign(x)"),
    ("grad_x (-a'*log(softmax(x)))", "(a'*ones(n))*softmax(x) - a"),
    ("grad_x logsumexp(B*x)", "B'*softmax(B*x)"),
    ("grad_x (a'*tanh(B*x))", "B'*(a.*(ones(n) - tanh(B*x).^2))"),
    ("grad_X norm(X*B - X)^2", "2*(X + (X*B - X)*B' - X*B)"),
    ("grad_x ((diag(x)*a)'*B*x)", "a.*(B*x) + B'*diag(x)*a"),
    ("jac_x (B*(x.*x))", "2*B*diag(x)"),
    ("jac_x softmax(x)", "diag(softmax(x)) - softmax(x)*softmax(x)'"),
    ("jac_x (x/norm(x))", "eye(n)/norm(x) - x*x'/norm(x)^3"),
    ("jac_x (x*(a'*x))", "x*a' + (a'*x)*eye(n)"),
    ("hess_x (x'*B*x)", "B + B'"),
    ("hess_x logsumexp(x)", "diag(softmax(x)) - softmax(x)*softmax(x)'"),
    ("div_x (B*x)", "tr(B)"),
    ("div_x (x*(x'*x))", "2*x'*x + (x'*x)*n"),
    ("d/dt expm(t*B)", "B*expm(t*B)"),
    ("d/dt inv(Y + t*B)", "-inv(Y + t*B)*B*inv(Y + t*B)"),
    ("d/dt logdet(S + t*S)", "tr(inv(S + t*S)*S)"),
    ("d^2/dt^2 norm(t*x - a)^2", "2*x'*x"),
]


def derived(text: str) -> Derived:
    claim = read(text)
    formula = carried_out(claim.lhs, claim.domain.variables, structured=claim.domain.structured)
    expression, _, declared = text.partition(" with ")
    # What is printed is what is judged.
    claim = read_claim(f"{expression} = {write(formula, claim.domain.variables)} with {declared}")
    return Derived(claim, decide(claim))


@pytest.mark.parametrize(("text", "formula"), DERIVED)
def test_a_derivative_is_short_and_proved(text, formula):
    found = derived(f"{text} with {LETTERS}")
    assert write(found.claim.rhs, found.claim.domain.variables) == formula
    assert found.result.verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("grad_Z tr(B*Z) with Z: symmetric(n), B: matrix(n,n), structured", "B + B' - (B'.*eye(n))"),
        ("grad_Z tr(B*Z) with Z: symmetric(n), B: matrix(n,n)", "B'"),
        ("grad_Z tr(B*Z) with Z: diagonal(n), B: matrix(n,n), structured", "B'.*eye(n)"),
        ("d/dt (A*B) with A: matrix(n,n) of t, B: matrix(n,n) of t", "d/dt (A)*B + A*d/dt (B)"),
        ("d/dt tr(expm(A)) with A: matrix(n,n) of t", "tr(expm(A)*d/dt (A))"),
        ("grad_x (s'*a) with s: vector(m) of x, x: vector(n), a: vector(m)", "(jac_x (s))'*a"),
        ("jac_x (f*grad_x(f)) with f: function of x, x: vector(n)", "f*hess_x (f) + grad_x (f)*(grad_x (f))'"),
        ("hess_x f(a'*x) with f: function of u, a: vector(n), x: vector(n)", "f''(a'*x)*a*a'"),
    ],
)
def test_structure_and_functions_that_are_not_known(text, formula):
    found = derived(text)
    assert write(found.claim.rhs, found.claim.domain.variables) == formula
    assert found.result.verdict is Verdict.PROVED


@pytest.mark.parametrize(
    "text",
    [
        "grad_Y tr(B*expm(Y))", "grad_Y tr(B*logm(Y))", "d/dt expm(t*B + Y)", "grad_Y sum(Y[i,1], i, 1, n)",
        "grad_Y tr(kron(Y, B))", "jac_x (Y*inv(x*x' + Y)*x)",
    ],
)  # fmt: skip
def test_what_has_no_formula_is_refused(text):
    claim = read(f"{text} with {LETTERS}")
    with pytest.raises(NoFormula, match="no formula"):
        carried_out(claim.lhs, claim.domain.variables)


# --- code ---------------------------------------------------------------------------------------------

SIZES = {"m": 3, "n": 4}


def arrays(variables, rng):
    found = []
    for variable in variables.values():
        if variable.field == "size":
            continue
        value = rng.normal(size=[SIZES.get(n, n) for n in variable.shape])
        found.append(value @ value.T + np.eye(len(value)) if variable.structure == "spd" else value)
    return found


def differences(function, values, place, step=1e-6):
    """Central differences by every entry of one argument, whose axes come last."""
    slopes = []
    for index in np.ndindex(np.shape(values[place])):
        sides = []
        for sign in (1, -1):
            moved = [np.array(v, dtype=float) for v in values]
            moved[place][index] += sign * step
            sides.append(np.asarray(function(*moved)))
        slopes.append((sides[0] - sides[1]) / (2 * step))
    return np.reshape(slopes, (*np.shape(values[place]), *np.shape(slopes[0])))


@pytest.mark.parametrize("text", [text for text, _ in DERIVED if text.startswith(("grad", "jac", "d/dt"))])
def test_the_code_agrees_with_finite_differences(text):
    found = derived(f"{text} with {LETTERS}")
    names: dict = {}
    exec(compile(module(found), text, "exec"), names)  # our own text, made from a tree
    by = text.split()[0].split("_")[-1].removeprefix("d/d")
    variables = found.claim.domain.variables
    order = [name for name, v in variables.items() if v.field != "size"]
    rng = np.random.default_rng(7)
    values = arrays(variables, rng)
    if "logdet" in text or "log(det" in text:
        values = [v @ v.T + np.eye(len(v)) if np.ndim(v) == 2 and v.shape[0] == v.shape[1] else v for v in values]
    expected = differences(names["value"], values, order.index(by))
    if text.startswith("jac"):
        expected = expected.T
    np.testing.assert_allclose(names["derivative"](*values), expected, rtol=2e-5, atol=2e-6)


# --- the command --------------------------------------------------------------------------------------


def test_the_command_prints_the_derivative_and_the_verdict(capsys):
    assert main(["derive", "grad_x (x'*B*x) with x: vector(n), B: matrix(n,n)"]) == 0
    printed = capsys.readouterr().out
    assert "(B + B')*x" in printed
    assert "PROVED" in printed


def test_numbers_are_derived_too_and_declarations_may_stand_apart(capsys):
    assert main(["derive", "d/dx sin(a*x)^2", "--let", "a: positive", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["derivative"] == "2*a*sin(a*x)*cos(a*x)"
    assert record["verdict"] == "PROVED"


def test_latex_is_derived(capsys):
    assert main(["derive", r"\nabla_x \|A x - b\|^2 with x: vector(n), A: matrix(m,n), b: vector(m)"]) == 0
    assert "2*A'*(A*x - b)" in capsys.readouterr().out


def test_the_printed_code_runs(capsys, tmp_path):
    assert main(["derive", "grad_w norm(X*w - y)^2 with X: matrix(m,n), w: vector(n), y: vector(m)", "--code"]) == 0
    path = tmp_path / "gradient.py"
    path.write_text(capsys.readouterr().out + "\nprint(derivative(np.eye(2), np.ones(2), np.zeros(2)).tolist())\n")
    ran = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[2.0, 2.0]"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x^2 + 1 (x)", "nothing is differentiated"),
        ("d/dx x^2 = 2*x", "takes the expression alone"),
        ("grad_Y tr(B*expm(Y)) with Y: matrix(n,n), B: matrix(n,n)", "not derived: no formula"),
        ("grad_x (A*x) with A: matrix(n,n), x: vector(n)", "gradient"),
    ],
)
def test_bad_input_is_named(text, words):
    from verify import formula_commands

    with pytest.raises(UsageError, match=words):
        formula_commands.derived(text)


def test_there_is_no_code_for_functions_that_are_not_known():
    found = derived("d/dt (A*B) with A: matrix(n,n) of t, B: matrix(n,n) of t")
    with pytest.raises(UsageError, match="no code"):
        module(found)


def test_random_is_not_used_for_deriving():
    random.seed(1)
    first = [write(derived(f"{text} with {LETTERS}").claim.rhs) for text, _ in DERIVED[:3]]
    assert first == [write(derived(f"{text} with {LETTERS}").claim.rhs) for text, _ in DERIVED[:3]]
