"""What every test may rely on: one torch thread, a generator, the shared material or a skip."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

# Box2D crashes the interpreter when its import warnings are errors: import it once, without.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import Box2D  # noqa: F401

ROOT = Path(__file__).resolve().parent.parent

torch.set_num_threads(1)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def shared() -> Path:
    """The folder of shared material; tests that need it are skipped where it does not exist."""
    folder = Path(os.environ.get("DAGGER_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no shared material at {folder} (set DAGGER_SHARED)")
    return folder
