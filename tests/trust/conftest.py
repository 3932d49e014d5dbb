"""Sizes of the harnesses: small in the fast tests, large with `make test-trust`."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from .running import Commands


@pytest.fixture(scope="session")
def seed() -> int:
    """Seed of the inputs: DAGGER_TRUST_SEED."""
    return int(os.environ.get("DAGGER_TRUST_SEED", "0"))


@pytest.fixture(scope="session")
def scale() -> float:
    """Number of inputs, in units of each test: DAGGER_TRUST_SCALE; 0.15 in the fast tests."""
    return float(os.environ.get("DAGGER_TRUST_SCALE", "0.15"))


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    with Commands() as server:
        yield server
