"""Runs of `dagger train` for the other scripts: run once, then read from summary.json."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any


def run(folder: Path, words: list[str]) -> dict[str, Any]:
    """Returns the numbers of the run in `folder`; runs it if missing, resumes it if unfinished.

    The expert's are left out where the run does not score it.
    """
    summary = folder / "summary.json"
    if not summary.exists():
        command = ["dagger", "train", *words, f"hydra.run.dir={folder}"]
        if (folder / "checkpoints" / "last").exists():
            command = ["dagger", "train", f"resume={folder}"]
        print("$", shlex.join(command), flush=True)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    read = json.loads(summary.read_text())
    keys = ("mean", "std", "min", "failures", "episodes")
    scored = [who for who in ("student", "expert") if read.get(who)]
    scores = {who: {key: read[who][key] for key in keys} for who in scored}
    return {**scores, **read["spent"], "seconds": round(read["wall_seconds"], 1)}
