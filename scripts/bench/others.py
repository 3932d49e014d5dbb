"""Comparisons with Vowpal Wabbit, and speed of the Mario simulator, from their scripts."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from measure import HERE, SHARED, took


def handwriting(repeats: int, runs: Path) -> dict[str, Any]:
    """Returns accuracy and CPU seconds of both programs on one fold of the letters."""
    data = SHARED / "ocr/letter.data.gz"
    if not data.exists():
        return {"skipped": "the letters are not in ocr/letter.data.gz of DAGGER_SHARED."}
    script = str(HERE.parent / "handwriting_vw.py")
    words = [f"data={data}", f"venv={runs / 'vw'}", "folds=0,1", "passes=1,4", "rounds=2,20"]
    try:
        cost = took([sys.executable, script, *words])
    except CalledProcessError as err:
        return {"skipped": f"{err}."}
    return {"lines": cost.output.splitlines()}


def sequences(repeats: int, runs: Path) -> dict[str, Any]:
    """Returns the same on two tasks of the CMU Pronouncing Dictionary."""
    script = str(HERE.parent / "sequences_vw.py")
    try:
        cost = took([sys.executable, script, f"venv={runs / 'vw'}"])
    except CalledProcessError as err:
        return {"skipped": f"{err}."}
    return {"lines": cost.output.splitlines()}


def mario(repeats: int, runs: Path) -> dict[str, Any]:
    """Returns ticks, steps and labels per second."""
    cost = took([sys.executable, str(HERE.parent / "bench_mario.py"), "--seconds", "1"])
    return {"lines": cost.output.splitlines()}
