"""`make bench`: measures the numbers of docs/benchmarks.md and writes the page.

    python scripts/bench/run.py [only=startup,fit,...] [repeats=3] [out=docs] [runs=outputs/bench]

Every result is a ratio of two measurements that alternate on one machine. Parts not in `only` keep
their earlier numbers (each has its date and machine); with an empty `only=` nothing is measured,
and the page is rewritten from the numbers. A part that is measured again keeps the figures of the
run before as `before`, which the page's first table compares; a part that is skipped keeps what it
had. `reference,peers,curves,peers_mujoco` (`make bench-peers`) and `growth_large` take long, `ways`
is a record of what was tried, and `quality` needs the runs of `dagger bench`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import parts
from jobs import APART, machine, options
from page import page
from peers_figure import draw
from results import Results, read, updated

USUAL = [name for name in parts.PARTS if name not in APART]


def main(words: list[str]) -> None:
    given = options(words, only=",".join(USUAL), repeats="3", out="docs", runs="outputs/bench")
    path = Path(given["out"]) / "benchmarks.json"
    runs = Path(given["runs"]).resolve()
    runs.mkdir(parents=True, exist_ok=True)
    for name in filter(None, given["only"].split(",")):
        print(f"== {name}", flush=True)
        entry = measured(name, int(given["repeats"]), runs)
        print(json.dumps(entry, indent=1), flush=True)
        results = updated(read(path), name, entry)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(results, indent=1) + "\n")
    path.with_suffix(".md").write_text(page(read(path)))
    if "curves" in read(path):
        draw(read(path)["curves"]["figures"], path.with_name("benchmarks_peers.png"))


def measured(name: str, repeats: int, runs: Path) -> Results:
    """Returns the figures of a part, where and when, and the seconds it took.

    On a busy machine CPU seconds say better than wall seconds how long it takes on an idle one.
    """
    where = {"date": time.strftime("%Y-%m-%d"), **machine()}
    begun, cpu = time.perf_counter(), sum(os.times()[:4])
    figures = parts.PARTS[name](repeats, runs)
    took = {"wall": round(time.perf_counter() - begun), "cpu": round(sum(os.times()[:4]) - cpu)}
    return {"machine": where, "took": took, "figures": figures}


if __name__ == "__main__":
    main(sys.argv[1:])
