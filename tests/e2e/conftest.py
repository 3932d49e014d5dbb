from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def hub_folder() -> Path:
    folder = Path(os.environ.get("DAGGER_SHARED", ROOT.parent / "shared")) / "hub" / "sb3"
    if not folder.is_dir():
        pytest.skip(f"no real Hub repositories at {folder} (set DAGGER_SHARED)")
    return folder
