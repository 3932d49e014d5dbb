"""Measures docs/compare.md: all trainers with the same labels, learner and seeds.

    python scripts/compare_results.py env=cartpole [seeds=0,1,2,3,4] [trainers=sup,dagger,...]
                                      [out=docs] [runs=outputs/compare]

Runs the missing jobs of the sweep in conf/experiment/compare_<env>.yaml, one sweep per seed, and
resumes unfinished runs, so the script can be stopped and restarted. Then writes the section of the
environment in `out`/compare.md (other sections stay), its figure compare_<env>.png and its numbers
compare_<env>.json. `trainers` and `seeds` limit the runs to make (existing runs of others are
shown, too); an empty `seeds=` makes none.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from dagger_cli.report.measures import labels_to
from dagger_cli.report.statistics import mean_interval
from dagger_cli.report.words import median_labels, plus_minus

CONF = Path(__file__).resolve().parents[1] / "conf" / "experiment"
DEFAULTS = {"env": "", "seeds": "all", "trainers": "all", "out": "docs", "runs": "outputs/compare"}
REACHED = 0.95  # of the expert's return: what "labels to reach it" means


def main(words: Sequence[str]) -> int:
    given = DEFAULTS | dict(word.partition("=")[::2] for word in words)
    experiment = CONF / f"compare_{given['env']}.yaml"
    if set(given) - set(DEFAULTS) or not experiment.exists():
        print(__doc__)
        return 2
    swept = yaml.safe_load(experiment.read_text())["hydra"]["sweeper"]["params"]
    trainers, seeds = (str(swept[key]).split(",") for key in ("trainer", "seed"))
    runs, out = Path(given["runs"]) / given["env"], Path(given["out"])
    wanted = trainers if given["trainers"] == "all" else given["trainers"].split(",")
    for seed in seeds if given["seeds"] == "all" else filter(None, given["seeds"].split(",")):
        make(given["env"], runs, wanted, seed)
    found = {t: [read(runs / f"{t}_{seed}") for seed in seeds] for t in trainers}
    result = {t: made for t, rows in found.items() if (made := [row for row in rows if row])}
    if not result:
        print(f"no finished run in {runs}")
        return 0
    out.mkdir(parents=True, exist_ok=True)
    (out / f"compare_{given['env']}.json").write_text(json.dumps(result) + "\n")
    draw(result, given["env"], out / f"compare_{given['env']}.png")
    write_section(out / "compare.md", given["env"], table(result))
    print(table(result))
    return 0


def make(env: str, runs: Path, trainers: Sequence[str], seed: str) -> None:
    """Runs one sweep of the missing runs of this seed; resumes unfinished ones."""
    missing = []
    for trainer in trainers:
        folder = runs / f"{trainer}_{seed}"
        if (folder / "checkpoints" / "last").exists() and not (folder / "summary.json").exists():
            call("dagger", "train", f"resume={folder}")
        elif not (folder / "summary.json").exists():
            missing.append(trainer)
    if missing:
        where = [f"hydra.sweep.dir={runs}", "hydra.sweep.subdir=${trainer.name}_${seed}"]
        words = [f"experiment=compare_{env}", f"trainer={','.join(missing)}", f"seed={seed}"]
        call("dagger", "train", *words, *where)


def call(*words: str) -> None:
    print("$", shlex.join(words), flush=True)
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def read(run: Path) -> dict[str, Any] | None:
    """Returns the numbers of a finished run: final scores, usage, and learning curve."""
    if not (run / "summary.json").exists():
        return None
    summary = json.loads((run / "summary.json").read_text())
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {
        "student": {key: summary["student"][key] for key in ("mean", "failures", "episodes")},
        "expert": {key: summary["expert"][key] for key in ("mean", "failures", "episodes")},
        **summary["spent"],
        "curve": [[row["train/labels"], row["eval/return_mean"]] for row in rows],
    }


def reached(run: dict[str, Any]) -> float:
    """Returns the labels until the validation return was within 5 % of the expert's, or inf."""
    labels, returns = np.array(run["curve"], dtype=float).T
    return labels_to(labels, returns, run["expert"]["mean"], REACHED)


def table(result: dict[str, list[dict[str, Any]]]) -> str:
    columns = ("trainer", "seeds", "return", "95 % interval", "worst", "failures a run")
    columns += ("labels", "env steps", "labels to 95 %")
    expert = next(iter(result.values()))[0]["expert"]
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    lines.append(f"| expert | | {expert['mean']:.1f} | | | {expert['failures']} | | | |")
    for trainer, runs in result.items():
        lines.append(f"| {' | '.join([trainer, *cells(runs)])} |")
    return "\n".join(lines)


def cells(runs: list[dict[str, Any]]) -> Iterator[str]:
    means = np.array([run["student"]["mean"] for run in runs])
    yield str(len(runs))
    yield f"{means.mean():.1f}"
    yield "" if len(means) < 2 else plus_minus(mean_interval(means), 1)
    yield f"{means.min():.1f}"
    yield f"{np.mean([run['student']['failures'] for run in runs]):.1f}"
    for key in ("labels", "env_steps"):
        yield f"{np.mean([run[key] for run in runs]):,.0f}"
    yield median_labels(map(reached, runs))


def write_section(path: Path, env: str, body: str) -> None:
    """Writes the table between the environment's marks; text around it stays."""
    begin, end = f"<!-- {env}: made by scripts/compare_results.py -->", f"<!-- end of {env} -->"
    block = f"{begin}\n![Return against labels](compare_{env}.png)\n\n{body}\n{end}"
    page = path.read_text() if path.exists() else "# All trainers compared\n"
    marked = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.S)
    if marked.search(page):
        page = marked.sub(lambda _: block, page)
    else:
        page += f"\n## {env}\n\n{block}\n"
    draft = path.with_suffix(".draft")
    draft.write_text(page)
    os.replace(draft, path)


def draw(result: dict[str, list[dict[str, Any]]], env: str, path: Path) -> None:
    """Draws one small panel per trainer, with the others in grey behind it."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    columns = 4
    rows = -(-len(result) // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(9, 1.9 * rows), dpi=130, sharex=True, sharey=True, squeeze=False
    )
    expert = next(iter(result.values()))[0]["expert"]["mean"]
    curves = {trainer: [np.array(run["curve"]) for run in runs] for trainer, runs in result.items()}
    for axes, trainer in zip(grid.flat, curves, strict=False):
        axes.axhline(expert, color="0.4", ls="--", lw=0.8)
        for other in curves.values():
            axes.plot(*middle(other), color="0.85", lw=0.8)
        for curve in curves[trainer]:
            axes.plot(*curve.T, color="#1f6feb", lw=0.6, alpha=0.4)
        axes.plot(*middle(curves[trainer]), color="#1f6feb", lw=1.6)
        axes.set_title(trainer, fontsize=9)
        axes.set_xscale("log")
        axes.set_xticks(*ticks(curves), minor=False)
        axes.set_xticks([], minor=True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=7)
    for axes in list(grid.flat)[len(curves) :]:
        axes.set_visible(False)
    for axes in list(grid.flat)[max(0, len(curves) - columns) : len(curves)]:
        axes.tick_params(labelbottom=True)  # the lowest visible one of its column
    figure.supxlabel("labels (expert queries)", fontsize=9)
    figure.supylabel("validation return", fontsize=9)
    figure.suptitle(f"{env}: each seed, and the mean; dashed the expert", fontsize=10)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def ticks(curves: dict[str, list[np.ndarray]]) -> tuple[list[int], list[str]]:
    """Returns round numbers of labels in the range, and their short names."""
    used = np.concatenate([curve[:, 0] for runs in curves.values() for curve in runs])
    steps = [n * 10**k for k in range(2, 6) for n in (1, 2, 5)]
    shown = [step for step in steps if used.min() * 0.99 <= step <= used.max()]
    return shown, [f"{step / 1000:g}k" if step >= 1000 else str(step) for step in shown]


def middle(curves: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns mean labels and mean return per round."""
    n = min(map(len, curves))
    mean = np.mean([curve[:n] for curve in curves], axis=0)
    return mean[:, 0], mean[:, 1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
