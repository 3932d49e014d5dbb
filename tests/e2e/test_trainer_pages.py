"""docs/trainers: one page per trainer; its commands compose, and it lists all logged metrics."""

from __future__ import annotations

import re
import shlex

import pytest

from dagger_cli.cli.shorthands import expand
from tests.conftest import ROOT

from .running import assert_chosen, dagger, metrics, train
from .test_trainers import SMALL, TRAINERS, VARIANTS

PAGES = ROOT / "docs" / "trainers"
SHARED = (PAGES / "dagger.md").read_text(encoding="utf-8")


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def commands(name: str) -> list[list[str]]:
    lines = re.findall(r"^    dagger (train .*)$", page(name), re.M)
    return [shlex.split(line) for line in lines]


def test_every_trainer_has_a_page_and_every_page_a_trainer():
    assert sorted(path.stem for path in PAGES.glob("*.md")) == TRAINERS


@pytest.mark.parametrize("name", TRAINERS)
def test_its_commands_compose(name, tmp_path):
    assert commands(name)
    for words in commands(name):
        assert f"trainer={name}" in words
        done = dagger(*expand(words), "--cfg", "job", cwd=tmp_path)
        assert (done.code, done.err) == (0, ""), done.err
        assert_chosen(expand(words)[1:], done.out)


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_every_metric_of_a_run_is_named(name, tmp_path):
    trainer = VARIANTS[name][0].removeprefix("trainer=")
    # Fitted well enough for Forward's episodes to reach their second slot.
    words = (*SMALL, *VARIANTS[name], "policy.gradient_steps=200")
    rows = metrics(train(*words, cwd=tmp_path))
    logged = {key for row in rows for key in row if "/" in key}
    text = page(trainer) + SHARED
    assert {"train/loss", "regret/average", "disagreement/own"} <= logged
    assert [key for key in sorted(logged) if f"`{key}`" not in text] == []
    own = set(re.findall(r"^\| `(train/\w+)`", page(trainer), re.M))
    assert own <= logged
