"""Measures the results on the paper's figure in docs/kart.md, with the command `dagger`.

    python scripts/kart_results.py [seeds=0,1,2,3,4] [methods=sup,smile,dagger] [tracks=1,...]
                                   [out=docs] [runs=outputs/kart]

Twenty rounds of 1,000 labels per method and seed on track 0; then one seed of each on every one of
`tracks`. The curves are of the policy after each round, on 50 validation laps (nothing is selected
on them; the last round counts), the tables of the last policy, on 200 evaluation laps. Existing
runs are not repeated. Prints the tables, and writes kart.json and kart.png to `out`.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from runs import run

METHODS = {
    "sup": ("Sup", ["trainer=sup"], "about 3"),
    "smile": ("SMILe 0.1", ["trainer=smile", "trainer.alpha=0.1"], "about 2"),
    "dagger": ("DAgger indicator", ["trainer=dagger"], "0 after 15 rounds"),
}  # name, words of the command, falls per lap in Ross, Gordon & Bagnell 2011
COLOURS = {"sup": "#d1242f", "smile": "#1a7f37", "dagger": "#1f6feb"}
DEFAULTS = {
    "seeds": "0,1,2,3,4",
    "methods": ",".join(METHODS),
    "tracks": "1",
    "out": "docs",
    "runs": "outputs/kart",
}


def main(words: Sequence[str]) -> int:
    given = DEFAULTS | dict(word.partition("=")[::2] for word in words)
    methods = given["methods"].split(",")
    if set(given) - set(DEFAULTS) or set(methods) - set(METHODS):
        print(__doc__)
        return 2
    runs, seeds = Path(given["runs"]), [int(seed) for seed in given["seeds"].split(",")]
    found: dict[str, Any] = {name: [] for name in methods}
    for seed in seeds:  # the outer loop, so that every method has the seeds that are done
        for name in methods:
            found[name].append(one(runs / f"{name}_{seed}", name, [f"seed={seed}"]))
    elsewhere = {
        track: {
            name: one(runs / f"{name}_track{track}", name, ["seed=0", f"env.track={track}"])
            for name in methods
        }
        for track in given["tracks"].split(",")
        if track
    }
    out = Path(given["out"])
    out.mkdir(parents=True, exist_ok=True)
    numbers = {"seeds": seeds, "methods": found, "tracks": elsewhere}
    (out / "kart.json").write_text(json.dumps(numbers) + "\n")
    print(table(found), other_tracks(elsewhere), sep="\n\n")
    seconds = [one["seconds"] for each in found.values() for one in each]
    print(f"{len(seconds)} runs on track 0, {sum(seconds) / 60:.0f} minutes in all")
    draw(found, out / "kart.png")
    return 0


def one(folder: Path, method: str, words: list[str]) -> dict[str, Any]:
    """Returns falls per lap after every round, in validation, and of the last policy."""
    settings = ["experiment=kart_paper", *METHODS[method][1], *words, "regret=false"]
    numbers = run(folder, settings)
    # The rows that a finished run was fitted on: a tenth of a gigabyte, and never read again.
    shutil.rmtree(folder / "checkpoints" / "aggregate", ignore_errors=True)
    rounds = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    student = numbers["student"]
    return {
        "falls": [round(abs(row["eval/return_mean"]), 4) for row in rounds],
        "last": round(abs(student["mean"]), 4),
        "failed_laps": student["failures"],
        "laps": student["episodes"],
        "expert": round(abs(numbers["expert"]["mean"]), 4),
        "seconds": numbers["seconds"],
    }


def table(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    columns = (
        "method", "falls per lap, round 1", "round 5", "round 15", "round 20",
        "laps with a fall, round 20", "seeds", "in the paper",
    )  # fmt: skip
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for name, runs in found.items():
        curves = np.array([run["falls"] for run in runs])
        cells = [spread(curves[:, i - 1]) for i in (1, 5, 15)]
        cells.append(spread(np.array([run["last"] for run in runs])))
        failed = sum(run["failed_laps"] for run in runs), sum(run["laps"] for run in runs)
        cells += [f"{failed[0]} of {failed[1]}", str(len(runs)), METHODS[name][2]]
        lines.append(f"| {METHODS[name][0]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def spread(values: Any) -> str:
    """Returns the mean and the standard deviation over seeds."""
    deviation = f" ± {values.std(ddof=1):.2f}" if len(values) > 1 else ""
    return f"{values.mean():.2f}{deviation}"


def other_tracks(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    if not found:
        return ""
    names = list(next(iter(found.values())))
    lines = [f"| track | {' | '.join(METHODS[name][0] for name in names)} |"]
    lines.append("|" + "---|" * (1 + len(names)))
    for track, runs in found.items():
        lines.append(f"| {track} | {' | '.join(format(runs[n]['last'], '.2f') for n in names)} |")
    return "\n".join(lines)


def frame(seed: int, steps: int) -> Any:
    """Returns the picture of a lap on track 0 that the expert drives, after some steps."""
    from dagger_cli.envs.kart.picture import picture
    from dagger_cli.envs.kart.source import kart
    from dagger_cli.experts.kart_controller import KartController

    rules = {"track": 0, "throttle": False, "observation": "lab", "noise": 0.05}
    source = kart(id="kart", **rules, max_steps=2000, failure="fall")
    expert = KartController(ahead=5.0, caution=0.8).load(
        "kart", source.observation_space, source.action_space
    )
    env, slot, rng = source.open(1), np.zeros(1, np.int64), np.random.default_rng(0)
    env.reset(slot, np.array([seed]))
    for _ in range(steps):
        env.step(slot, expert.act(env.observation, rng).actions)
    return picture(env)


def draw(found: Mapping[str, Sequence[Mapping[str, Any]]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10.4, 3.3), dpi=150, width_ratios=(1.2, 1))
    left.imshow(frame(seed=4, steps=100))
    left.set_axis_off()
    for name, runs in found.items():
        curves = np.array([run["falls"] for run in runs])
        rounds = np.arange(1, curves.shape[1] + 1)
        right.plot(rounds, curves.mean(0), color=COLOURS[name], lw=1.8, label=METHODS[name][0])
        band = curves.min(0), curves.max(0)
        right.fill_between(rounds, *band, color=COLOURS[name], alpha=0.15, lw=0)
    right.set_xlabel("round (1,000 labels each)")
    right.set_ylabel("falls per lap")
    right.set_xticks([1, 5, 10, 15, 20])
    right.set_ylim(bottom=-0.1)
    n = len(next(iter(found.values())))
    right.set_title(f"mean of {n} seed{'s' * (n > 1)}, band from lowest to highest", fontsize=9)
    right.spines[["top", "right"]].set_visible(False)
    right.legend(frameon=False, fontsize=9)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
