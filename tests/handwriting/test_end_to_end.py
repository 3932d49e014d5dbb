"""`dagger train` and `dagger eval` on letters and on a user's own sequences."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Observation, Space
from dagger_cli.experts.oracle import Oracle
from tests.e2e.running import dagger, differences

SVM = ["policy=svm", "policy.row_visits=60000"]


def accuracy(run_folder, who="student") -> float:
    """Letters right over letters."""
    scores = json.loads((run_folder / "scores.json").read_text())
    return sum(scores["returns"]) / sum(scores["lengths"])


def scored(folder, checkpoint, *words) -> float:
    """Evaluate with these words; letters right over letters."""
    done = dagger("eval", f"checkpoint={checkpoint}", *words, "json=scores.json", cwd=folder)
    assert (done.code, done.err) == (0, ""), done.err
    return accuracy(folder)


def train(folder, *words) -> None:
    done = dagger("train", *words, "hydra.run.dir=run", cwd=folder)
    assert (done.code, done.err) == (0, ""), done.err


@pytest.mark.slow
def test_letters_from_training_to_beam_search(tmp_path):
    words = ["env=handwriting", "env.data=synthetic", *SVM, "rounds=3", "steps_per_round=6000"]
    train(tmp_path, *words)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["student"]["episodes"] == summary["expert"]["episodes"] == 150
    assert "watch" not in summary["commands"]  # there is nothing to see
    greedy = scored(tmp_path, "run")
    assert greedy > 0.7
    assert scored(tmp_path, "run", "decode=beam", "width=1") == greedy
    assert scored(tmp_path, "run", "decode=beam", "width=4") > 0.7
    assert scored(tmp_path, "expert", "env=handwriting", "env.data=synthetic") == 1


@pytest.mark.slow
def test_structure_helps_and_dagger_beats_sup_on_synthetic_words(tmp_path):
    """The order of the paper's methods, on words of our own."""
    reached = {}
    for name, *words in (
        ("none", "trainer=sup", "env.history=0"),
        ("sup", "trainer=sup"),
        ("dagger", "trainer=dagger", "beta=indicator"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        base = ["env=handwriting", "env.data=synthetic", "rounds=6", "steps_per_round=6600"]
        train(folder, *base, *SVM, "evaluation.checkpoint=last", *words)
        summary = json.loads((folder / "run" / "summary.json").read_text())
        reached[name] = summary["student"]["mean"]
    assert reached["none"] < reached["sup"] < reached["dagger"]


def test_a_users_own_sequences(tmp_path, sentences):
    words = ["env=sequence", f"env.data={sentences}", *SVM, "rounds=2", "steps_per_round=400"]
    train(tmp_path, *words, "evaluation.checkpoint=last")
    assert scored(tmp_path, "run/last") > 0.9
    assert scored(tmp_path, "run/last", "decode=beam") > 0.9


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["env=handwriting", "env.fold=10"], "env.fold must be from 0 to 9"),
        (["env=handwriting", "env.validate_on_test=true"], "add evaluation.checkpoint=last"),
        (["env=handwriting", "env.history=-1"], "env.history must be 0 or more"),
        (["env=handwriting", "env.data=nowhere"], "nowhere: cannot be read"),
        (["env=handwriting", "expert=bundled"], "handwriting"),
        (["env=sequence"], "env.data needs a value"),
        (["env=sequence", "env.data=nowhere"], "nowhere: cannot be read"),
        (["env=cartpole", "policy=glyphs"], "history"),
        (["env=pendulum", "expert=bundled", "policy=svm"], "policy=svm needs discrete actions"),
        (["env=pendulum", "expert=oracle"], "expert=oracle gives labels"),
        (["env=handwriting", "validation.episodes=-1"], "validation.episodes must be 0 or more"),
        (["env=cartpole", "expert=bundled", "evaluation.episodes=null"], "give a number, not null"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, words, says):
    data = ["env.data=synthetic"] if words[0] == "env=handwriting" else []
    data = [] if any("env.data" in word for word in words) else data
    done = dagger("train", *data, *words, cwd=tmp_path)
    assert done.code == 2 and says in done.err and done.err.count("\n") == 1, done.err


def test_bad_decoding_is_one_sentence(tmp_path):
    expert = ["checkpoint=expert", "env=handwriting", "env.data=synthetic"]
    for words, says in (
        ([*expert, "decode=best"], "decode must be greedy or beam"),
        ([*expert, "width=3"], "width=3 has no effect without decode=beam"),
        ([*expert, "decode=beam"], "OracleExpert does not"),
        ([*expert, "decode=beam", "video=a.mp4"], "leave out render and video"),
        ([*expert, "video=a.mp4"], "cannot be shown"),
    ):
        done = dagger("eval", *words, cwd=tmp_path)
        assert done.code == 2 and says in done.err, done.err


def test_the_oracle_answers_what_is_privileged_and_needs_it():
    letters = Space("discrete", (), "int64", sizes=(26,))
    box = Space("box", (2,), "float32", (0.0,) * 2, (1.0,) * 2)
    oracle = Oracle().load("x", box, letters)
    observation = Observation(
        np.zeros((3, 2), np.float32), np.zeros(3, np.int64), np.array([4, 0, 25])
    )
    acts = oracle.act(observation, np.random.default_rng(0))
    assert acts.actions.tolist() == [4, 0, 25] and acts.from_expert.all()
    with pytest.raises(ExpertError, match="'x' has none"):
        oracle.act(Observation(observation.obs, observation.t), np.random.default_rng(0))
    with pytest.raises(ExpertError, match="expert=oracle gives labels"):
        Oracle().load("x", box, box)


@pytest.mark.parametrize(
    "policy",
    [
        ["policy=svm", "policy.row_visits=5000"],
        ["policy=glyphs", "policy.gradient_steps=5", "policy.sizes=[16]", "policy.code=8"],
    ],
    ids=lambda words: words[0],
)
def test_a_resumed_run_equals_one_that_never_stopped(tmp_path, policy):
    words = ["env=handwriting", "env.data=synthetic", "steps_per_round=700", "beta=indicator"]
    words += ["validation.episodes=20", "evaluation.episodes=10", *policy]
    for name, rounds in (("whole", 3), ("stopped", 2)):
        run = f"hydra.run.dir={name}"
        done = dagger("train", *words, f"rounds={rounds}", run, cwd=tmp_path)
        assert (done.code, done.err) == (0, ""), done.err
    done = dagger("train", "resume=stopped", "rounds=3", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    assert differences(tmp_path / "whole", tmp_path / "stopped") == []
