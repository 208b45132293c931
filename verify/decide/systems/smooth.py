"""Can the right-hand side of a problem jump, or become singular, where a solution is?

At a jump that the solution crosses, and that moves with states or parameters, the adjoint jumps as well.  Neither the
adjoint equation nor the equations for sensitivities say so: only differences of the objective see it.
"""

from __future__ import annotations

from verify.decide.integrals.standard import may_jump
from verify.graph import Node, free_symbols, postorder
from verify.systems import TIME, OdeProblem

#: What to do about a jump.
AS_EVENT = "write the switch as an event, [[ode.events]] with when = what changes its sign, rhs = what holds from there"
#: Functions that are continuous on the whole line.
REGULAR = frozenset({
    "sin", "cos", "exp", "tanh", "sinh", "cosh", "sech", "atan", "asinh", "erf", "erfc", "abs", "max", "min",
})  # fmt: skip


def jumps_somewhere(problem: OdeProblem) -> bool:
    """Whether the right-hand side, or the running cost, jumps at states, or at times, that can move."""
    names = (*problem.state, *problem.domain.variables)
    return any(may_jump(node, *names) for node in _solved(problem))


def may_be_singular(problem: OdeProblem) -> bool:
    """Whether the right-hand side, or the running cost, has poles or ends of domains that a solution could meet."""
    moving = {TIME, *problem.state}

    def is_safe(node: Node) -> bool:
        if node.op in ("symbol", "add", "mul") or not free_symbols(node) & moving:
            return True
        if node.op == "pow":
            base, exponent = node.args
            whole = exponent.op == "num" and exponent.value.denominator == 1 and exponent.value > 0
            return whole or not free_symbols(base)
        return node.op != "call" or node.value in REGULAR

    return not all(map(is_safe, postorder(*_solved(problem))))


def _solved(problem: OdeProblem) -> list[Node]:
    """Right-hand sides and running costs of all phases."""
    return [node for phase in problem.phases for node in (*phase.rhs, phase.running)]
