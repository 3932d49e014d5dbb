"""Numba's settings and its cache do not come from the current folder."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import numpy as np
from dagger_cli.utils.compiled import numba
from dagger_cli.policies.svm_kernels import margins
margins(np.ones((1, 2), np.float32), np.ones((3, 1), np.float32))
print(int(numba.config.OPT), [numba.config.CACHE_DIR])
"""


class Touch:
    def __reduce__(self):
        return os.system, ("touch canary",)


@pytest.mark.slow
def test_a_file_of_settings_in_the_current_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / ".numba_config.yaml").write_text("cache_dir: planted\nopt: 1\n")
    for name in ("tournament", "margins"):
        (tmp_path / "planted").mkdir(exist_ok=True)
        (tmp_path / "planted" / f"svm_kernels.{name}.nbi").write_bytes(pickle.dumps(Touch()))
    repository = str(Path(__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": repository, "DAGGER_CACHE": str(tmp_path / "cache")}
    env.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "3 ['']\n"
    assert not (tmp_path / "canary").exists()
    assert any((tmp_path / "cache").glob("kernels-*/*/*.nbi"))


@pytest.mark.slow
def test_without_a_place_for_the_cache_kernels_are_compiled_anew(tmp_path: Path) -> None:
    blocked = tmp_path / "a_file"
    blocked.write_text("")
    repository = str(Path(__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": repository, "DAGGER_CACHE": str(blocked)}
    env.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.split("print")[0]],
        cwd=tmp_path, env=env, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
