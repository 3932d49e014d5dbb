from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dagger_cli.envs.handwriting.source import handwriting
from dagger_cli.envs.sequences.source import SequenceSource

WRITTEN = """
the/D dog/N sees/V a/D red/A car/N
a/D cat/N likes/V the/D big/A house/N
the/D old/A man/N reads/V a/D book/N
she/P runs/V
he/P likes/V the/D dog/N
they/P see/V a/D big/A cat/N
the/D car/N runs/V
a/D man/N sees/V she/P
"""
SENTENCES = WRITTEN.strip().split("\n")


@pytest.fixture
def letters(shared) -> Path:
    """The real letters, or a skip."""
    path = shared / "ocr" / "letter.data.gz"
    if not path.is_file():
        pytest.skip(f"no letters at {path}")
    return path


def source(fold=0, held_out=0, history=1, before=0, after=0, data="synthetic") -> SequenceSource:
    return handwriting(
        id="handwriting",
        data=data,
        fold=fold,
        held_out=held_out,
        validate_on_test=False,
        history=history,
        before=before,
        after=after,
    )


def words_as_features(word: str) -> list[int]:
    """A CoNLL-like token: which letters it begins and ends with, and how long it is."""
    row = np.zeros(26 + 26 + 8, int)
    row[ord(word[0]) - 97], row[26 + ord(word[-1]) - 97], row[52 + min(len(word), 7)] = 1, 1, 1
    return row.tolist()


@pytest.fixture
def sentences(tmp_path) -> Path:
    """A small part-of-speech corpus in the documented format, made of `SENTENCES`, repeated."""
    lines = []
    for i, sentence in enumerate(SENTENCES * 10):
        words, tags = zip(*(token.split("/") for token in sentence.split()), strict=True)
        part = "test" if i % 10 == 0 else "validation" if i % 10 == 1 else "train"
        tokens = [words_as_features(word) for word in words]
        lines.append(json.dumps({"tokens": tokens, "labels": tags, "split": part}))
    path = tmp_path / "pos.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path
