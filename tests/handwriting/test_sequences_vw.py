"""The two tasks that scripts/sequences_vw.py makes of a pronouncing dictionary."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from dagger_cli.envs.sequences.jsonl import read_sequences
from tests.conftest import ROOT

WORDS = [("bat", ["B", "AE1", "T"]), ("box", ["B", "AA1", "K", "S"]), ("at", ["AE0", "T"])]


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module("sequences_vw")


def test_stress_is_that_of_each_sound(script):
    assert script.stress(WORDS[1:]) == [
        (["B", "AA", "K", "S"], ["-", "1", "-", "-"]),
        (["AE", "T"], ["0", "-"]),
    ]


def test_phonemes_are_of_words_with_as_many_letters_as_sounds(script):
    assert script.phonemes(WORDS) == [
        (["b", "a", "t"], ["B", "AE", "T"]),
        (["a", "t"], ["AE", "T"]),
    ]


def test_a_token_has_two_symbols_to_each_side_and_survives_the_file(script, tmp_path):
    table = script.sequences(script.phonemes(WORDS) * 10)
    assert table.names == ("AE", "B", "T") and len(table) == 20
    first = table.tokens[0].reshape(5, 3)  # a, b, t: the b of "bat"
    assert [row.tolist() for row in first] == [[0] * 3, [0] * 3, [0, 1, 0], [1, 0, 0], [0, 0, 1]]
    script.write_lines(tmp_path / "words.jsonl", table)
    again, split = read_sequences(tmp_path / "words.jsonl", 0, 0)
    np.testing.assert_array_equal(again.tokens, table.tokens)
    np.testing.assert_array_equal(again.labels, table.labels)
    assert split.test.tolist() == [0, 10]
