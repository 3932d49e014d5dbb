"""Vowpal Wabbit's `search` (Langford & Daume's learning to search) on the same letters and folds.

    python scripts/handwriting_vw.py data=path/to/letter.data.gz [folds=0] [passes=1,4]
                                     [quadratic=false,true] [rounds=2,20] [pairs=1,2]
                                     [venv=outputs/vw]

Creates a virtual environment with the PyPI package `vowpalwabbit` (once), writes a fold in VW's
format, trains on the other nine, predicts the tenth, and prints accuracy and CPU seconds. The last
prediction is a feature, as in this package (--search_history_length 1). For comparison, runs
`dagger train experiment=handwriting_paper` with `rounds` rounds, and handwriting_pairs with `pairs`
rounds, including start-up and evaluation.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dagger_cli.envs.handwriting.letters import read_letters
from dagger_cli.envs.sequences.table import Sequences, split_folds

DEFAULTS = {"data": "", "folds": "0", "passes": "1,4", "quadratic": "false,true"}
DEFAULTS |= {"rounds": "2,20", "pairs": "1,2", "venv": "outputs/vw"}


def main(words: Sequence[str]) -> int:
    given = DEFAULTS | dict(word.partition("=")[::2] for word in words)
    if set(given) - set(DEFAULTS) or not given["data"]:
        print(__doc__)
        return 2
    folder = Path(given["venv"])
    python = installed(folder)
    letters, folds = read_letters(Path(given["data"]))
    print("| fold | learner | accuracy, % | CPU s |\n|" + "---|" * 4)
    for fold in map(int, given["folds"].split(",")):
        split = split_folds(folds, fold, 0)
        order = np.random.default_rng(0).permutation(split.train)
        write(folder / "train.vw", letters, order)
        write(folder / "test.vw", letters, split.test)
        for passes in given["passes"].split(","):
            for quadratic in given["quadratic"].split(","):
                accuracy, seconds = score(python, folder, letters, split.test, passes, quadratic)
                pairs = ", all pairs of features" if quadratic == "true" else ""
                show(fold, f"VW, {passes} passes{pairs}", accuracy, seconds)
        data = [f"env.data={given['data']}", f"env.fold={fold}"]
        for rounds in filter(None, given["rounds"].split(",")):
            words = [*data, "experiment=handwriting_paper", f"rounds={rounds}"]
            show(fold, f"dagger, {rounds} rounds", *ours(folder / "dagger", *words))
        for rounds in filter(None, given["pairs"].split(",")):
            words = [*data, "experiment=handwriting_pairs", f"rounds={rounds}"]
            name = f"dagger, {rounds} rounds, all pairs of features"
            show(fold, name, *ours(folder / "dagger", *words))
    return 0


def show(fold: int | str, learner: str, accuracy: float, seconds: float) -> None:
    print(f"| {fold} | {learner} | {100 * accuracy:.2f} | {seconds:.1f} |", flush=True)


def ours(run: Path, *words: str) -> tuple[float, float]:
    """Returns the same for a run of `dagger train`."""
    shutil.rmtree(run, ignore_errors=True)
    more = ["env.validate_on_test=true", "regret=false", f"hydra.run.dir={run}"]
    before = cpu_seconds()
    command = [sys.executable, "-m", "dagger_cli.cli.main", "train", *words, *more]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    last = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    return last["eval/return_mean"] / last["eval/episode_length"], cpu_seconds() - before


def installed(folder: Path, *more: str) -> Path:
    """Returns the interpreter of a virtual environment with VW; installs what it lacks."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    for package in ("vowpalwabbit", *more):
        find = f"import importlib.util as i, sys; sys.exit(i.find_spec('{package}') is None)"
        if subprocess.run([python, "-c", find]).returncode:
            subprocess.run([python, "-m", "pip", "install", "-q", package], check=True)
    return python


def write(path: Path, letters: Sequences, words: np.ndarray) -> None:
    """Writes one token per line with its non-zero features; an empty line ends a sequence."""
    with open(path, "w") as file:
        for word in words:
            for i in range(letters.starts[word], letters.starts[word + 1]):
                black = " ".join(map(str, np.flatnonzero(letters.tokens[i])))
                file.write(f"{letters.labels[i] + 1} | {black}\n")
            file.write("\n")


def score(
    python: Path, folder: Path, letters: Sequences, test: np.ndarray, passes: str, quadratic: str
) -> tuple[float, float]:
    """Returns accuracy on the test words, and the CPU seconds of training and prediction."""
    model, answers = folder / "model.vw", folder / "answers.txt"
    words = [
        "--search",
        str(len(letters.names)),
        "--search_task",
        "sequence",
        "--search_history_length",
        "1",
    ]
    words += ["-b", "24" if quadratic == "true" else "18"]
    words += ["-q", "::"] if quadratic == "true" else []
    more = (
        ["--passes", passes, "-k", "--cache_file", str(folder / "cache")] if passes != "1" else []
    )
    before = cpu_seconds()
    vw(python, [*words, *more, "-d", str(folder / "train.vw"), "-f", str(model)])
    vw(python, ["-t", "-i", str(model), "-d", str(folder / "test.vw"), "-p", str(answers)])
    predicted = np.array(answers.read_text().split(), int) - 1
    right = np.concatenate(
        [letters.labels[letters.starts[w] : letters.starts[w + 1]] for w in test]
    )
    return float((predicted == right).mean()), cpu_seconds() - before


def vw(python: Path, words: list[str]) -> None:
    subprocess.run([python, "-m", "vowpalwabbit", "--quiet", *words], check=True)


def cpu_seconds() -> float:
    """Returns the CPU seconds of all finished child processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
