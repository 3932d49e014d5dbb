"""Who should act while DAgger collects: beta schedules with and without trainer.roll_in=uniform.

    python scripts/roll_in_results.py run [seeds=0,1,2,3,4] [folder=outputs/roll_in]
    python scripts/roll_in_results.py [seeds=0,1,2,3,4] [folder=outputs/roll_in]

`run` trains 3 robots of MuJoCo with 7 ways of collecting, one sweep each (a finished one is not
repeated); experts are rl-zoo's agents on the Hub. Both forms then write docs/roll_in.json and print
the table of docs/trainers/dagger.md: mean validation return at 3,200, 8,000 and 16,000 labels, and
its mean over all rounds, with the standard deviation over seeds.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.utils.files import write_json

ROOT = Path(__file__).parents[1]
ROBOTS = {"hopper": "ppo", "walker2d": "sac", "halfcheetah": "sac"}  # and the expert's algorithm
BETAS, ROLL_INS = ("linear", "exponential", "indicator"), ("none", "uniform")
WAYS = [("sup", None, None), *(("dagger", b, r) for r in ROLL_INS for b in BETAS)]
COMMON = (
    "env.version=3", "expert=hub", "policy.sizes=[128,128]", "policy.gradient_steps=1200",
    "rounds=10", "steps_per_round=1600", "regret=false", "evaluation.episodes=20",
)  # fmt: skip
SHOWN = (3200, 8000, 16_000)  # labels


def name_of(trainer: str, beta: str | None, roll_in: str | None) -> str:
    """Returns a way of collecting as it is called in the folder and the table."""
    return trainer if beta is None else f"{beta}_{roll_in}"


def train(folder: Path, seeds: str) -> None:
    """Runs the sweeps that are missing."""
    for robot, algo in ROBOTS.items():
        for trainer, beta, roll_in in WAYS:
            place = folder / f"{robot}_{name_of(trainer, beta, roll_in)}"
            if (place / "sweep.csv").exists():
                continue
            own = [] if beta is None else [f"beta={beta}", f"trainer.roll_in={roll_in}"]
            words = [f"env={robot}", f"expert.algo={algo}", *COMMON, f"trainer={trainer}", *own]
            line = ["train", "-m", *words, f"seed={seeds}", f"hydra.sweep.dir={place}"]
            subprocess.run([sys.executable, "-m", "dagger_cli", *line], check=True)


def curves(place: Path, seeds: list[int]) -> Any:
    """Returns the validation returns of a sweep, (seeds, rounds)."""
    found = {}
    for run in place.glob("*_seed*"):
        rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        found[int(run.name.rpartition("seed")[2])] = [row["eval/return_mean"] for row in rows]
    return np.array([found[seed] for seed in seeds])


def summary(returns: Any) -> dict[str, Any]:
    """Returns means and standard deviations over seeds."""
    at = {str(labels): returns[:, labels // 1600 - 1] for labels in SHOWN}
    at["mean"] = returns.mean(axis=1)
    return {k: [round(float(v.mean())), round(float(v.std(ddof=1)))] for k, v in at.items()}


def main(words: list[str]) -> int:
    given = dict(word.partition("=")[::2] for word in words)
    if set(given) - {"run", "seeds", "folder"}:
        print(__doc__)
        return 2
    folder, seeds = Path(given.get("folder", "outputs/roll_in")), given.get("seeds", "0,1,2,3,4")
    if "run" in given:
        train(folder, seeds)
    numbers = [int(seed) for seed in seeds.split(",")]
    result: dict[str, Any] = {}
    for robot in ROBOTS:
        print(f"\n| {robot} | " + " | ".join(f"{n:,} labels" for n in SHOWN) + " | all rounds |")
        for way in (name_of(*w) for w in WAYS):
            place = folder / f"{robot}_{way}"
            if place.exists():
                row = summary(curves(place, numbers))
                result.setdefault(robot, {})[way] = row
                print(f"| {way} | " + " | ".join(f"{m:,} ± {s:,}" for m, s in row.values()) + " |")
    write_json(ROOT / "docs" / "roll_in.json", {"seeds": numbers, "returns": result})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
