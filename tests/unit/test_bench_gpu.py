"""scripts/bench/gpu.py runs without a GPU: with the CPU in its place, and not at all."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT

SCRIPT = str(ROOT / "scripts/bench/gpu.py")


@pytest.mark.slow
def test_all_checks_hold_with_the_cpu_in_the_place_of_a_gpu(tmp_path):
    out = tmp_path / "gpu.json"
    words = ["device=cpu", "quick=true", f"out={out}"]
    subprocess.run([sys.executable, SCRIPT, *words], check=True, cwd=tmp_path)
    lines = json.loads(out.read_text())["lines"]
    checked = [line for line in lines if "ok" in line]
    # Four fits of gradient, loss and weights; the aggregate's loss and weights; two networks act.
    assert len(checked) == 4 * 3 + 2 + 2
    assert all(line["ok"] for line in checked)
    assert [line["what"] for line in lines if "skipped" in line] == [
        "mlp 256-256: CUDA graph of a step, 10 steps"
    ]


@pytest.mark.slow
def test_without_a_gpu_it_says_so_and_ends(tmp_path):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    done = subprocess.run([sys.executable, SCRIPT], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0
    assert "sees no GPU here" in done.stdout
    assert list(tmp_path.iterdir()) == []
