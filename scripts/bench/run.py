"""`make bench`: measures what docs/benchmarks.md says, and writes it.

    python scripts/bench/run.py [only=startup,collection,fit,growth,reference,profile] [repeats=3]
                                [out=docs] [runs=outputs/bench]

Every figure is a ratio of two things measured in turn on one machine. Parts that were measured
before and are not asked for keep their numbers (each says when and where it was measured).
`reference` takes about ten minutes, because the reference loop does; the rest about eight.
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


def main(words: list[str]) -> None:
    everything = ",".join(parts.PARTS)
    given = options(words, only=everything, repeats="3", out="docs", runs="outputs/bench")
    path = Path(given["out"]) / "benchmarks.json"
    results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    for name in given["only"].split(","):
        print(f"== {name}", flush=True)
        where = {"date": time.strftime("%Y-%m-%d"), **machine()}
        figures = parts.PARTS[name](int(given["repeats"]), Path(given["runs"]))
        results[name] = {"machine": where, "figures": figures}
        print(json.dumps(figures, indent=1), flush=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(results, indent=1) + "\n")
        path.with_suffix(".md").write_text(page(results))


if __name__ == "__main__":
    main(sys.argv[1:])
