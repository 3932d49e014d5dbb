"""Texts survive Hydra's grammar, OmegaConf's interpolations and the shell."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dagger_cli.cli.command_line import parse
from dagger_cli.utils.quoting import hydra_value, is_no_text, shell_joined

ODD = st.text(alphabet="ab'\"\\${}=,()[]: \n\t~#é*!1._\x01&|;<>^`", min_size=1, max_size=12)


@settings(max_examples=200, deadline=None)
@given(ODD.filter(lambda text: not text.startswith("~/")))
@example(",1,")
def test_hydra_reads_the_same_text(text):
    assert parse("train", [f"resume={hydra_value(text)}"]).text_of("resume") == text


@settings(max_examples=10, deadline=None)
@given(st.lists(ODD, min_size=1))
def test_the_shell_reads_the_same_words(words):
    line = f"printf '%s\\0' {shell_joined(words)}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == words
    assert "\n" not in line


@pytest.mark.parametrize("word", ["1", "2024_01_02", "12e4567", "1.5", "-3", ".5", "nan", "Null"])
def test_what_hydra_reads_as_a_number_is_quoted(word):
    assert is_no_text(word) and hydra_value(word) == f"'{word}'"


@pytest.mark.parametrize("word", ["run", "a/1", "2024-01-02", "1x", "nan_run"])
def test_plain_names_stay_plain(word):
    assert hydra_value(word) == word
