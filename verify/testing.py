"""How do other people's test-suites use all this?  An assertion that tells the whole story, and strategies.

    from verify.testing import assert_holds, vector_fields

    def test_the_formula_of_my_activation() -> None:
        assert_holds("d/dx tanh(x) = 1 - tanh(x)^2")

    @given(vector_fields())
    def test_my_solver(problem) -> None: …

Strategies are functions that return hypothesis strategies; hypothesis is imported when the first of them is called.
They build problems, not arrays of numbers: a failing example is a problem that prints its formulas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verify.claim import Claim
from verify.verdict import Result, Verdict

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from verify.calculus.adjoint import Problem
    from verify.calculus.flow import Flow
    from verify.calculus.laws import Law
    from verify.calculus.linear import LinearFamily


def assert_holds(
    claim: str | Claim, /, *, at_least: Verdict = Verdict.SUPPORTED, seed: int = 0, timeout: float = 10.0, **let: Any
) -> Result:
    """Return the result if the claim is at least SUPPORTED (or `at_least`); else raise AssertionError with the story.

    let   declarations by name, as in `verify.check`: assert_holds("d/dx abs(x) = 1", x="positive").
    """
    from verify.judge import check

    result = check(claim, let=let or None, seed=seed, timeout=timeout)
    if result.verdict < at_least:
        raise AssertionError(story(result, at_least, let))
    return result


def story(result: Result, at_least: Verdict, let: dict[str, Any]) -> str:
    """Everything that is known of a claim that did not hold, with a snippet that runs it again."""
    lines = [f"{result.claim}", f"  is {result.verdict}, and should be at least {at_least}"]
    if result.reason:
        lines.append(f"  because   {result.reason}")
    if result.read_as:
        lines.append(f"  read as   {result.read_as}")
    if result.counterexample:
        found = result.counterexample
        lines.append(
            f"  at        {', '.join(f'{name} = {value}' for name, value in found.point.items()) or 'any point'}"
        )
        lines += [f"  left      {found.lhs}", f"  right     {found.rhs}"]
    if result.diagnosis:
        lines.append(f"  slip      {result.diagnosis.slip}: {result.diagnosis.says} ({result.diagnosis.verdict})")
    if result.correction:
        lines.append(f"  right is  {result.correction}")
    lines += [f"  note      {note}" for note in result.notes]
    declared = f", let={let!r}" if let else ""
    lines.append(
        f"  again     import verify; print(verify.check({result.claim!r}{declared}, seed={result.seed}).to_json())"
    )
    return "\n".join(lines)


# --- strategies ---------------------------------------------------------------------------------


def vector_fields(states: int = 3, parameters: int = 3) -> SearchStrategy[Problem]:
    """Problems with f = tanh(W u + V p + c t) - d u, at most so many states and parameters, and both kinds of cost.

    The field is globally Lipschitz, so solutions exist; it names the time, f_u is not symmetric, and field, start
    value and costs all depend on the parameters.
    """
    from hypothesis import strategies as st

    from verify.calculus import families

    return st.builds(families.tanh_field, st.integers(1, states), st.integers(1, parameters), _seeds())


def neural_fields(states: int = 3) -> SearchStrategy[Problem]:
    """Problems with f = W2 tanh(W1 u + w3 t + p) + b2, whose parameters are the inner biases."""
    from hypothesis import strategies as st

    from verify.calculus import families

    return st.builds(families.neural_field, st.integers(1, states), st.integers(1, states), _seeds())


def linear_families(states: int = 4, parameters: int = 3) -> SearchStrategy[LinearFamily]:
    """y' = A(p) y with A(p) = A0 + sum of p_j A_j and b(p) = b0 + B p; at least 2 states, and nothing commutes."""
    from hypothesis import strategies as st

    from verify.calculus import families

    return st.builds(families.linear_family, st.integers(2, states), st.integers(1, parameters), _seeds())


def flows(dimension: int = 3) -> SearchStrategy[Flow]:
    """Fields z' = f(t, z) on R^d, d at most so large: damped tanh, neural, linear, and layers of hidden units.

    Smooth with a bounded Jacobian that is not symmetric, so the flow is a diffeomorphism for all times.
    """
    from hypothesis import strategies as st

    from verify.calculus import density_families

    d, kinds = st.integers(1, dimension), (density_families.damped_flow, density_families.neural_flow)
    plain = (st.builds(kind, d, _seeds()) for kind in (*kinds, density_families.linear_flow))
    return st.one_of(*plain, st.builds(density_families.hidden_flow, d, st.integers(1, 3), _seeds()))


def planar_flows(dimension: int = 3) -> SearchStrategy[Flow]:
    """z' = u tanh(w . z + b) on R^d."""
    from hypothesis import strategies as st

    from verify.calculus import density_families

    return st.builds(density_families.hidden_flow, st.integers(1, dimension), st.just(1), _seeds())


def laws(*kinds: str) -> SearchStrategy[Law]:
    """Laws of one variable x, on the line or on an interval: all kinds of `density_families.LAWS`, or those named."""
    from hypothesis import strategies as st

    from verify.calculus import density_families

    return st.builds(density_families.law, st.sampled_from(kinds or tuple(density_families.LAWS)), _seeds())


def trial_functions(*kinds: str) -> SearchStrategy[Any]:
    """Test functions of x: all kinds of `density_families.TESTS`, or those named."""
    from hypothesis import strategies as st

    from verify.calculus import density_families

    kinds = kinds or tuple(density_families.TESTS)
    return st.builds(density_families.trial_function, st.sampled_from(kinds), _seeds())


def cases(parameters: int) -> SearchStrategy[dict[str, Any]]:
    """Keywords p, t0 and T away from the blind points p = 0 and t0 = 0; T - t0 between 0.3 and 1.5."""
    import numpy
    from hypothesis import strategies as st

    def case(seed: int) -> dict[str, Any]:
        rng = numpy.random.default_rng(seed)
        start = rng.uniform(0.1, 0.5)
        p = rng.uniform(0.2, 1.2, parameters) * rng.choice([-1, 1], parameters)
        return {"p": p, "t0": start, "T": start + rng.uniform(0.3, 1.5)}

    return st.builds(case, _seeds())


def _seeds() -> SearchStrategy[int]:
    from hypothesis import strategies as st

    return st.integers(0, 2**32 - 1)
