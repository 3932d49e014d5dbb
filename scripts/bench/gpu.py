"""Checks and times fits on a GPU against the CPU: one command, below 8 minutes.

    python scripts/bench/gpu.py [device=cuda] [quick=false] [out=outputs/gpu.json]

Needs torch and numpy, and EnvPool for its last line; run it in a checkout. Prints a table and
writes it as JSON, with the card's name. Without a GPU it says so and ends; `device=cpu` runs
everything that needs none (the same code twice on the CPU), `quick=true` with little data.
Exits with 1 where a check fails. docs/gpu.md says what is checked.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(1, str(Path(__file__).resolve().parents[2]))  # this checkout, also if not installed


def main(words: list[str]) -> int:
    import torch
    from jobs import machine, options

    given = options(words, device="cuda", quick="false", out="outputs/gpu.json")
    if given["device"] == "cuda" and not torch.cuda.is_available():
        print(f"torch {torch.__version__} sees no GPU here: nothing was measured.")
        return 0
    if given["quick"] == "true":
        torch.set_num_threads(1)  # on a busy machine, two wait for each other in every product
    from gpu_checks import checks  # reads the number of threads

    begun = time.perf_counter()
    card = torch.cuda.get_device_name() if given["device"] == "cuda" else "none"
    result: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"),
        **machine(),
        "torch": torch.__version__,
        "card": card,
        "quick": given["quick"] == "true",
        "lines": [],
    }
    print(f"card: {card}, torch {torch.__version__}, {result['cpu']}, {result['cores']} cores\n")
    print("| what | result | number | allowed | ratio |\n|---|---|---|---|---|")
    for line in checks(torch.device(given["device"]), quick=result["quick"]):
        result["lines"].append(line)
        print(row(line), flush=True)
    result["seconds"] = round(time.perf_counter() - begun, 1)
    out = Path(given["out"])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=1) + "\n")
    print(f"\n{result['seconds']} s; written to {out}")
    return int(any(line.get("ok") is False for line in result["lines"]))


def row(line: dict[str, Any]) -> str:
    """Returns a line of the table; a check has a number and what is allowed, a timing a ratio."""
    if "skipped" in line:
        return f"| {line['what']} | skipped: {line['skipped']} | | | |"
    result = {True: "ok", False: "**FAILED**", None: ""}[line.get("ok")]
    number = f"{line['number']:.2g}" if "number" in line else ""
    allowed = f"{line['allowed']:.0e}" if "allowed" in line else ""
    ratio = f"{line['ratio']:.2f} ({line['of']})" if "ratio" in line else ""
    return f"| {line['what']} | {result} | {number} | {allowed} | {ratio} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
