"""Profiles of the property tests: `fast` by default, `thorough` with HYPOTHESIS_PROFILE=thorough or -m thorough."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: small matrices, and the same digits on every machine

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("fast", max_examples=25, deadline=None, derandomize=True, database=None)
settings.register_profile(
    "thorough", max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)


def pytest_configure(config: pytest.Config) -> None:
    """One switch for both tiers: whoever asks for the thorough tests gets the thorough profile."""
    thorough = config.getoption("markexpr", "") == "thorough"
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "thorough" if thorough else "fast"))
