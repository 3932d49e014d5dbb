"""`make bench`: measures the numbers of docs/benchmarks.md and writes the page.

    python scripts/bench/run.py [only=startup,fit,...] [repeats=3] [out=docs] [runs=outputs/bench]

Every result is a ratio of two measurements that alternate on one machine. Parts not in `only` keep
their earlier numbers (each has its date and machine); with an empty `only=` nothing is measured,
and the page is rewritten from the numbers. `reference` takes about ten minutes, the time of the
reference loop, `peers,curves` (`make bench-peers`) an hour.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import parts
from jobs import machine, options
from page import page
from peers_figure import draw

USUAL = [name for name in parts.PARTS if name not in ("peers", "curves", "growth_large")]


def main(words: list[str]) -> None:
    given = options(words, only=",".join(USUAL), repeats="3", out="docs", runs="outputs/bench")
    path = Path(given["out"]) / "benchmarks.json"
    runs = Path(given["runs"]).resolve()
    runs.mkdir(parents=True, exist_ok=True)
    for name in filter(None, given["only"].split(",")):
        print(f"== {name}", flush=True)
        where = {"date": time.strftime("%Y-%m-%d"), **machine()}
        figures = parts.PARTS[name](int(given["repeats"]), runs)
        print(json.dumps(figures, indent=1), flush=True)
        results = read(path) | {name: {"machine": where, "figures": figures}}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(results, indent=1) + "\n")
    path.with_suffix(".md").write_text(page(read(path)))
    if "curves" in read(path):
        draw(read(path)["curves"]["figures"], path.with_name("benchmarks_peers.png"))


def read(path: Path) -> dict[str, Any]:
    """Reads earlier results; called again after every part, as another process may have written."""
    return dict(json.loads(path.read_text())) if path.exists() else {}


if __name__ == "__main__":
    main(sys.argv[1:])
