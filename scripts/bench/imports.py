"""What a training run imports before its first round, and how long it takes.

    python scripts/bench/imports.py [folder=outputs/bench/imports]

Runs `dagger train` of one short round under `python -X importtime`, and sums the time that each
package's modules take themselves. Measured so, imports take about a third longer than usual.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from jobs import options
from measure import SHORT, walker_expert

LINE = re.compile(r"import time: +(\d+) \| +\d+ \|( *)([\w.]+)")
SHOWN = 12  # packages
TOGETHER = {  # packages that others bring along, under the one that is asked for
    **dict.fromkeys(("omegaconf", "antlr4", "yaml"), "hydra"),
    **dict.fromkeys(("torchgen", "sympy", "mpmath", "optree"), "torch"),
    **dict.fromkeys(("httpx", "httpcore", "h11", "anyio", "tqdm", "filelock"), "huggingface_hub"),
    **dict.fromkeys(("httpx2", "httpcore2", "requests", "urllib3"), "huggingface_hub"),
    **dict.fromkeys(("pygame", "Box2D"), "gymnasium[box2d]"),
    "gymnasium": "gymnasium[box2d]",
}


def main(words: list[str]) -> None:
    given = options(words, folder="outputs/bench/imports")
    folder = Path(given["folder"]).resolve()
    command = [sys.executable, "-X", "importtime", "-m", "dagger_cli.cli.main", "train", *SHORT]
    command += [*walker_expert(), f"hydra.run.dir={folder}"]
    for _ in range(2):  # the first leaves the bytecode of all modules
        shutil.rmtree(folder, ignore_errors=True)
        text = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    print(json.dumps(figures(text)))


def figures(text: str) -> dict[str, Any]:
    """Returns milliseconds and modules by package, those that take longest first."""
    took, modules = Counter[str](), Counter[str]()
    for microseconds, _, name in LINE.findall(text):
        first = name.split(".")[0]
        package = TOGETHER.get(first, first)
        took[package] += int(microseconds)
        modules[package] += 1
    longest = [package for package, _ in took.most_common(SHOWN)]
    packages = {p: {"ms": round(took[p] / 1000), "modules": modules[p]} for p in longest}
    every = {"ms": round(took.total() / 1000), "modules": modules.total()}
    return {"packages": packages, "all": every}


if __name__ == "__main__":
    main(sys.argv[1:])
