"""Runs whose students see less than their expert: bit for bit, evaluated, refused in a sentence."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from dagger_cli.core.errors import ConfigError
from dagger_cli.views.layout import layout
from dagger_cli.views.view import View
from tests.e2e.running import TINY, dagger, differences, summary, train

from .toys import PUSH, SEEN, Source

VIEW = ("view.keep=[2,0]", "view.noise=0.01", "view.delay=1", "view.stack=3")


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path):
    whole = train(*VIEW, cwd=tmp_path, run="whole")
    short = train(*VIEW, "rounds=2", "beta.over=3", cwd=tmp_path, run="short")
    done = dagger("train", f"resume={short}", "rounds=3", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    assert differences(whole, short) == []


@pytest.mark.slow
def test_workers_change_nothing_and_eval_uses_the_runs_own_view(tmp_path):
    words = ("env.backend=gymnasium", *VIEW, "trainer=sup", "rounds=1")
    alone = train(*words, "env.workers=0", cwd=tmp_path, run="alone")
    shared = train(*words, "env.workers=2", cwd=tmp_path, run="shared")
    assert differences(alone, shared) == []
    done = dagger("eval", "checkpoint=alone", "json=scores.json", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["mean"] == summary(alone)["student"]["mean"]


@pytest.mark.parametrize(
    "words",
    [
        ("trainer=searn", "trainer.costs=rollout", "steps_per_round=120"),
        pytest.param(("trainer=aggrevate", "steps_per_round=120"), marks=pytest.mark.slow),
        pytest.param(("trainer=lols", "steps_per_round=120"), marks=pytest.mark.slow),
        *(
            pytest.param((f"trainer={name}",), marks=pytest.mark.slow)
            for name in ("smile", "dart", "safe_dagger", "ensemble_dagger", "hg_dagger")
        ),
        pytest.param(("trainer=forward", "rounds=4"), marks=pytest.mark.slow),
    ],
    ids=lambda words: words[0],
)
def test_every_trainer_has_a_student_of_the_view_and_an_expert_without(words, tmp_path):
    more = ("trainer.cost_rollouts.horizon=5",) if "steps_per_round=120" in words else ()
    run = train(*VIEW, *words, *more, cwd=tmp_path)
    assert summary(run)["expert"]["mean"] == 60


@pytest.mark.slow
def test_workers_of_a_labeller_get_what_the_expert_sees(tmp_path, monkeypatch):
    monkeypatch.setattr("dagger_cli.labellers.processes.WORTH", 0.0)
    tiny = [word for word in TINY if not word.startswith("expert")]
    own = ("expert=python", "expert.target=tests.labellers.experts:balance", *VIEW)
    for name in ("local", "processes"):
        words = (*tiny, *own, f"labeller={name}", f"hydra.run.dir={name}")
        done = dagger("train", *words, cwd=tmp_path)
        assert (done.code, done.err) == (0, ""), done.err
    assert differences(tmp_path / "local", tmp_path / "processes") == []


def test_parts_are_saved_as_indexes(tmp_path):
    run = train("view=keys", "view.keep=['1:3',0]", "rounds=1", cwd=tmp_path)
    assert yaml.safe_load((run / "config.yaml").read_text())["view"]["keep"] == [1, 2, 0]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("view.keep=[positions]", "names 'positions', .*: it has no named parts"),
        ("view.noise=-1", "view.noise must be 0 or more"),
        ("view=keys", "view.keep needs a value"),
        ("view=position", "did you mean 'positions'"),
        ("view.stak=2", "there is no key 'view.stak'; did you mean 'view.stack'"),
    ],
)
def test_wrong_words_are_refused_in_a_sentence(words, sentence, tmp_path):
    done = dagger("train", *TINY, *words.split(), cwd=tmp_path)
    assert done.code == 2 and done.out == "" and done.err.count("\n") <= 3
    assert re.search(sentence, " ".join(done.err.split())), done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"keep": ["position"]}, "its parts are who, positions, velocities"),
        ({"keep": [4]}, "view.keep has 4, but observations have 4 components: 0 to 3"),
        ({"keep": []}, "leaves nothing to see"),
        ({"keep": [0, "0:2"]}, "has component 0 more than once"),
        ({"keep": [-1, 3]}, "has component 3 more than once"),
        ({"keep": ["0.5"]}, "names '0.5'"),
        ({"delay": -1}, "view.delay must be 0 or more"),
        ({"delay": 7}, "view.delay=7 hides every observation, .* has at most 7 steps"),
        ({"noise": float("nan")}, "view.noise must be 0 or more"),
        ({"stack": 0}, "view.stack must be at least 1"),
        ({"stack": 1001}, "view.stack must be at most 1,000"),
        ({"stack_actions": True}, "needs view.stack of 2 or more"),
        ({"pixels": 84, "keep": [0]}, "leave one of them out"),
    ],
)
def test_wrong_values_are_refused_in_a_sentence(keys, sentence):
    with pytest.raises(ConfigError, match=sentence):
        View(**keys).viewed(Source())


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"pixels": 512, "stack": 100}, "makes observations of 26,214,400 numbers"),
        ({"pixels": 40, "stack": 50}, "have more channels than rows"),
    ],
)
def test_stacks_of_too_many_pictures_are_refused(keys, sentence):
    with pytest.raises(ConfigError, match=sentence):
        layout(View(**keys), SEEN, PUSH, {})
