"""Size of the harnesses: a few seconds in the fast suite, large by `make test-trust seed=N`."""

from __future__ import annotations

import os
from typing import NamedTuple

import pytest


class Trust(NamedTuple):
    """`seed` chooses the cases, `scale` multiplies their number."""

    seed: int
    scale: int


@pytest.fixture
def trust() -> Trust:
    environ = os.environ
    return Trust(
        int(environ.get("DAGGER_TRUST_SEED", "0")), int(environ.get("DAGGER_TRUST_SCALE", "1"))
    )
