"""Is this gradient formula right?  The public names, loaded when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from verify.certificates import recheck as recheck
    from verify.code.check import check_code as check_code
    from verify.densities import FlowProblem as FlowProblem
    from verify.densities import SteinProblem as SteinProblem
    from verify.judge import check as check
    from verify.judge_systems import check_system as check_system
    from verify.numerics.enclosure import enclose as enclose
    from verify.systems import Event as Event
    from verify.systems import ImplicitProblem as ImplicitProblem
    from verify.systems import OdeProblem as OdeProblem
    from verify.systems import RecurrenceProblem as RecurrenceProblem
    from verify.verdict import Verdict as Verdict

_HOMES = {
    "check": "verify.judge",
    "check_system": "verify.judge_systems",
    "recheck": "verify.certificates",
    "check_code": "verify.code.check",
    "enclose": "verify.numerics.enclosure",
    "Event": "verify.systems",
    "OdeProblem": "verify.systems",
    "ImplicitProblem": "verify.systems",
    "RecurrenceProblem": "verify.systems",
    "FlowProblem": "verify.densities",
    "SteinProblem": "verify.densities",
    "Claim": "verify.claim",
    "Domain": "verify.claim",
    "Variable": "verify.claim",
    "Evidence": "verify.verdict",
    "Result": "verify.verdict",
    "Rigor": "verify.verdict",
    "Verdict": "verify.verdict",
    "Derivation": "verify.derivation",
    "Display": "verify.derivation",
    "Example": "verify.derivation",
    "Figure": "verify.derivation",
    "Hypothesis": "verify.derivation",
    "Mutant": "verify.derivation",
    "Printed": "verify.derivation",
    "Reference": "verify.derivation",
    "Route": "verify.derivation",
    "Series": "verify.derivation",
    "Statement": "verify.derivation",
    "Step": "verify.derivation",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name == "testing":
        return import_module("verify.testing")
    if name not in _HOMES:
        raise AttributeError(f"module 'verify' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
