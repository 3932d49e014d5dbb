from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    import torch

    torch.set_num_threads(1)
    with warnings.catch_warnings():  # Box2D's own, as errors, crash the interpreter
        warnings.simplefilter("ignore")
        import Box2D  # noqa: F401


@pytest.fixture(scope="session")
def hub_folder() -> Path:
    folder = Path(os.environ.get("DAGGER_SHARED", ROOT.parent / "shared")) / "hub" / "sb3"
    if not folder.is_dir():
        pytest.skip(f"no real Hub repositories at {folder} (set DAGGER_SHARED)")
    return folder
