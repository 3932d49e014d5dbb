"""Writes rows of docs/compare_*.json to the trainers' pages: `python scripts/compare_pages.py`."""

from __future__ import annotations

import json
import re
from pathlib import Path

from compare_results import cells

DOCS = Path("docs")
NAMES = {"cartpole": "CartPole", "lunarlander": "LunarLander", "bipedal": "BipedalWalker"}
BEGIN, END = "<!-- from compare.md -->", "<!-- end -->"
HEAD = ("environment", "expert", "return", "95 % interval", "labels", "env steps", "labels to 95 %")


def block(trainer: str) -> str:
    """Returns the trainer's table, with the number of seeds."""
    rows, seeds = [f"| {' | '.join(HEAD)} |", "|" + "---|" * len(HEAD)], set()
    for env, name in NAMES.items():
        runs = json.loads((DOCS / f"compare_{env}.json").read_text())[trainer]
        seeds.add(len(runs))
        _, mean, interval, _, _, labels, steps, needed = cells(runs)
        expert = f"{runs[0]['expert']['mean']:.1f}"
        shown = (name, expert, mean, interval, labels, steps, needed)
        rows.append(f"| {' | '.join(shown)} |")
    many = " or ".join(map(str, sorted(seeds)))
    about = f"{many} training seeds each, conditions and figures in"
    return "\n".join([BEGIN, f"{about} [all trainers compared](../compare.md):", "", *rows, END])


def main() -> None:
    old = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.S)
    for page in sorted((DOCS / "trainers").glob("*.md")):
        before, after = old.split(page.read_text())
        page.write_text(before + block(page.stem) + after)


if __name__ == "__main__":
    main()
