"""Runs made under old names of keys and classes can still be evaluated, resumed and exported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dagger_cli.config.renamed import RENAMED, new_name, with_new_names
from dagger_cli.config.schema import shipped_targets
from dagger_cli.tracking.manifest import read_manifest
from tests.e2e.running import dagger, metrics, summary

RUNS = Path(__file__).parent / "runs"


@pytest.fixture
def copied(tmp_path):
    """A folder with copies of the old runs."""
    shutil.copytree(RUNS, tmp_path, symlinks=True, dirs_exist_ok=True)
    return tmp_path


@pytest.mark.parametrize("name", ["searn", "dagger", "letters"])
def test_they_score_what_they_scored_then(name, copied):
    done = dagger("eval", f"checkpoint={name}", "json=scores.json", cwd=copied)
    assert (done.code, done.err) == (0, "")
    scores = json.loads((copied / "scores.json").read_text())
    assert scores["mean"] == pytest.approx(summary(copied / name)["student"]["mean"], rel=1e-9)


@pytest.mark.parametrize("name", ["searn", "dagger", "letters"])
def test_they_are_resumed(name, copied):
    done = dagger("train", f"resume={name}", "rounds=3", cwd=copied)
    assert (done.code, done.err) == (0, ""), done.err
    assert [row["round"] for row in metrics(copied / name)][-1] == 3
    saved = read_manifest(copied / name / "checkpoints" / "last").config
    assert with_new_names(saved) == saved  # saved anew in the new names


def test_they_are_exported_and_teach(copied):
    done = dagger("export", "checkpoint=dagger", "format=torchscript", "path=a.pt", cwd=copied)
    assert (done.code, done.err) == (0, "") and (copied / "a.pt").is_file()
    words = ("env=pendulum", "expert=path", "expert.path=dagger", "episodes=2")
    assert dagger("expert", "score", *words, cwd=copied).code == 0


def test_the_map_leads_from_old_names_to_what_there_is():
    for old, new in RENAMED.items():
        if old.startswith("dagger_cli."):
            assert new in shipped_targets() and old not in shipped_targets()
        elif "=" not in old:
            assert new_name(old) == new and new_name(f"{old}.x") == f"{new}.x"
    assert new_name("trainer.fitness") is None and new_name("policy.optimizer") is None


def test_parts_of_other_packages_keep_their_keys():
    own = {"trainer": {"_target_": "mine.Mine", "fit": "newest", "coin": 1}, "seed": 0}
    assert with_new_names(own) == own
