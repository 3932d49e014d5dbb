"""Writes examples/genes.jsonl, a small data set for `env=sequence`: python examples/make_genes.py

A hidden Markov model writes sequences of the letters a, c, g, t: coding and non-coding parts prefer
other letters and last about ten letters. One letter tells little about its part; its neighbours and
the previous prediction tell more.
"""

import json
from pathlib import Path

import numpy as np

PARTS = ("noncoding", "coding")
LETTERS = np.array([[0.4, 0.1, 0.1, 0.4], [0.15, 0.35, 0.35, 0.15]])  # probabilities of a, c, g, t
STAYS = 0.9  # probability that the next letter is of the same part


def sequence(rng: np.random.Generator, length: int) -> dict:
    """Returns one line of the file: a one-hot vector and a label for each letter."""
    changes = rng.random(length) > STAYS
    parts = (rng.integers(2) + np.cumsum(changes)) % 2
    letters = [int(rng.choice(4, p=LETTERS[part])) for part in parts]
    tokens = [[int(letter == i) for i in range(4)] for letter in letters]
    return {"tokens": tokens, "labels": [PARTS[part] for part in parts]}


def main() -> None:
    """Writes the file."""
    rng = np.random.default_rng(0)
    lines = [json.dumps(sequence(rng, 40), separators=(",", ":")) for _ in range(100)]
    Path(__file__).with_name("genes.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
