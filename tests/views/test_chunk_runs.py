"""Runs with chunks of actions: their rows, every policy, bit for bit, in other programs."""

from __future__ import annotations

import json
import re
from contextlib import closing

import numpy as np
import pytest
import torch

from dagger_cli import load_policy
from dagger_cli.core.frame_rows import FrameForm
from dagger_cli.core.row_forms import form_of
from dagger_cli.core.types import Space
from dagger_cli.testing.envs import check_env
from dagger_cli.views.view import View
from dagger_cli.views.words import in_words
from tests.e2e.running import TINY, dagger, differences, summary, train
from tests.envs.helpers import source

from .test_elsewhere import FORMATS, answers, exported
from .toys import CHOICE, PUSH, SEEN, Source

ONE = np.zeros(1, np.int64)
SLOW = pytest.mark.slow
# Without what only networks of policy=mlp have.
BARE = [word for word in TINY if word != "policy.sizes=[16]"]


class Net(torch.nn.Sequential):
    """A user's network."""

    def __init__(self, inputs, outputs):
        super().__init__(torch.nn.Linear(inputs, 8), torch.nn.Tanh(), torch.nn.Linear(8, outputs))


@pytest.mark.parametrize("actions", [PUSH, CHOICE])
@pytest.mark.parametrize(
    "view", [{}, {"stack": 2}, {"keep": [2, 0], "delay": 2, "stack": 2, "stack_actions": True}]
)
def test_a_row_has_what_was_seen_in_the_last_steps(view, actions):
    plain, chunked = (View(**view, chunk=k).viewed(Source(actions)) for k in (1, 3))
    with closing(plain.open(1)) as one, closing(chunked.open(1)) as other:
        for seed in (3, 4):  # the second episode sees nothing of the first
            for env in (one, other):
                env.reset(ONE, np.array([seed]))
            seen = [one.observation.obs[0]]
            for t, action in enumerate([1, 1, 2, 1]):
                row, windows = other.observation.obs[0], chunked.windows
                assert row.shape == other.observation_space.shape and row[windows.count] == min(
                    t, 2
                )
                for i in range(min(t, 2) + 1):
                    assert np.array_equal(row[windows.index[i]], seen[t - i])
                for env in (one, other):
                    env.step(ONE, np.array([action]).reshape(1, *env.action_space.shape))
                seen.append(one.observation.obs[0])
    assert chunked.windows.space == plain.observation_space


def test_pictures_have_a_channel_for_the_count():
    views = (View(pixels=16, stack=2, chunk=k) for k in (1, 3))
    plain, chunked = (view.viewed(source("CartPole-v1")) for view in views)
    shape, windows = plain.observation_space.shape, chunked.windows
    with closing(plain.open(1)) as one, closing(chunked.open(1)) as other:
        for env in (one, other):
            env.reset(ONE, ONE)
        before = one.observation.obs[0].copy()
        for env in (one, other):
            env.step(ONE, np.array([1]))
        row = other.observation.obs[0]
        assert row.shape == other.observation_space.shape == (16, 16, 5)
        assert (row[..., 4] == 1).all() and row.ravel()[windows.count] == 1
        assert np.array_equal(row.ravel()[windows.index[0]].reshape(shape), one.observation.obs[0])
        assert np.array_equal(row.ravel()[windows.index[1]].reshape(shape), before)


def test_it_keeps_the_laws_of_environments():
    check_env(View(stack=2, stack_actions=True, chunk=3).viewed(Source(CHOICE)).open)


def test_frames_are_stored_once():
    """Of 200 numbers of 4 bytes each: a row of 4 frames takes about that of one."""
    wide = Space("box", (200,), "float32", (-9.0,) * 200, (9.0,) * 200)
    viewed = View(chunk=4).viewed(Source(observation_space=wide))
    form = form_of(viewed.observation_space, viewed.frame_split)
    assert isinstance(form, FrameForm)
    frames = np.random.default_rng(0).standard_normal((53, 200)).astype(np.float32)
    rows = np.stack([np.append(frames[t : t + 4].ravel(), np.float32(3)) for t in range(50)])
    parts = form.pack(rows)
    assert len(parts["frames"]) == 53 and np.array_equal(form.unpack(parts), rows)


def test_it_hides_nothing_from_a_student_that_sees_everything():
    for past in ({"chunk": 4}, {"stack": 3}, {"stack": 3, "stack_actions": True}):
        assert not View(**past).viewed(Source()).hides and View(**past, delay=1).hides
    assert View(keep=[0]).hides and View(pixels=84).hides and View(noise=0.1, stack=2).hides
    assert View(chunk=4).frames == 4 and View(chunk=4, stack=2).frames == 5
    assert View().viewed(Source()).observation_space == SEEN


@pytest.mark.slow
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path):
    words = ("policy.chunk=3", "policy.chunk_decay=0.5", "view.noise=0.01", "view.stack=2")
    whole = train(*words, cwd=tmp_path, run="whole")
    short = train(*words, "rounds=2", "beta.over=3", cwd=tmp_path, run="short")
    done = dagger("train", f"resume={short}", "rounds=3", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    assert differences(whole, short) == []


@SLOW
def test_number_of_workers_changes_nothing_and_eval_scores_as_the_run(tmp_path):
    words = ("env.backend=gymnasium", "policy.chunk=3", "rounds=1")
    alone = train(*words, "env.workers=0", cwd=tmp_path, run="alone")
    shared = train(*words, "env.workers=2", cwd=tmp_path, run="shared")
    assert differences(alone, shared) == []
    done = dagger("eval", "checkpoint=alone", "json=scores.json", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["mean"] == summary(alone)["student"]["mean"]


POLICIES = {
    "linear": ("policy=linear",),
    "window": ("policy=window", "policy.window=2", "view.stack_actions=true"),
    "gru": ("policy=gru_window", "policy.window=2"),
    "torch": ("policy=torch", f"policy.network._target_={__name__}.Net"),
    "box": ("env=pendulum",),
    "cnn": ("view=pixels", "view.pixels=36", "policy=cnn", "env.max_episode_steps=10"),
    "glyphs": ("env=handwriting", "env.data=synthetic", "policy=glyphs", "~expert"),
    "scene": ("env=mario", "env.observation=compact", "env.workers=1", "policy=scene", "~expert"),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=SLOW) if name in ("cnn", "glyphs", "scene") else name
        for name in POLICIES
    ],
)
def test_every_network_learns_two_rounds(name, tmp_path):
    words = [word for word in BARE if not word.startswith("steps_per_round")]
    if "~expert" in POLICIES[name]:  # has an expert of its own
        words = [w for w in words if not w.startswith(("env", "expert"))]
    words += [w for w in POLICIES[name] if w != "~expert"]
    words += ["policy.chunk=3", "policy.gradient_steps=5", "rounds=2", "steps_per_round=40"]
    done = dagger("train", *words, f"trust={__name__.partition('.')[0]}", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err


@pytest.mark.parametrize(
    "words",
    [
        ("trainer=smile",),
        ("trainer=searn", "trainer.costs=rollout", "trainer.cost_rollouts.horizon=5"),
        *(
            pytest.param((f"trainer={name}", "trainer.cost_rollouts.horizon=5"), marks=SLOW)
            for name in ("aggrevate", "lols")
        ),
        *(
            pytest.param((f"trainer={name}",), marks=SLOW)
            for name in ("sup", "dart", "safe_dagger", "ensemble_dagger", "hg_dagger")
        ),
        pytest.param(("trainer=forward", "rounds=4"), marks=SLOW),
    ],
    ids=lambda words: words[0],
)
def test_every_trainer_has_students_with_chunks(words, tmp_path):
    run = train("policy.chunk=3", *words, cwd=tmp_path)
    assert summary(run)["expert"]["mean"] == 60


@SLOW
def test_beam_search_scores_chunks(tmp_path):
    words = ("env=handwriting", "env.data=synthetic", "policy.chunk=3", "policy.gradient_steps=20")
    short = ("rounds=1", "steps_per_round=300", "validation.episodes=2", "evaluation.episodes=2")
    done = dagger("train", *words, *short, "gif=false", "hydra.run.dir=run", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    done = dagger("eval", "checkpoint=run", "decode=beam", "width=3", "episodes=2", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err


@pytest.mark.parametrize("format", ["torchscript", pytest.param("onnx", marks=SLOW)])
@pytest.mark.parametrize("env", ["cartpole", pytest.param("pendulum", marks=SLOW)])
def test_a_graph_of_a_chunk_takes_its_rows(env, format, tmp_path, rng):
    train(f"env={env}", "policy.chunk=3", "rounds=1", cwd=tmp_path)
    policy = load_policy(tmp_path / "run")
    size = policy.observation_space.size
    assert f"input observations (n, {size}) float32" in exported(tmp_path, format)
    obs = rng.standard_normal((50, size)).astype(np.float32)
    obs[:, -1] = rng.integers(0, 3, 50)
    path = tmp_path / FORMATS[format]
    assert np.allclose(answers(path, obs), policy.predict(obs)[0], atol=1e-5)
    view = json.loads((tmp_path / f"{path.name}.view.json").read_text())
    assert view["chunk"] == 3 and "the last 3 observations" in view["input"]
    assert "2 where there were more" in view["input"]


def test_words_name_the_count():
    said = in_words({"stack": 2, "chunk": 3, "stack_actions": True})
    assert "the last 4" in said and "the 3 actions" in said and "one number" in said
    assert "a channel" in in_words({"pixels": 84, "chunk": 3})


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("policy.chunk=0", "policy.chunk must be at least 1, got 0"),
        ("policy.chunk=101", "policy.chunk must be at most 100"),
        ("policy.chunk=2 policy.chunk_decay=nan", "policy.chunk_decay must be between"),
        ("policy.chunk_decay=1", "has no effect with policy.chunk=1"),
        ("policy.chunk=4 view.chunk=2", "view.chunk=2 does not fit policy=mlp"),
        ("view.chunk=2", "view.chunk=2 does not fit policy=mlp, which predicts chunks of 1"),
        ("env=pendulum policy=ridge view.chunk=2", "does not fit policy=ridge"),
        ("policy=ridge policy.chunk=2", "there is no key 'policy.chunk'"),
        ("policy=svm policy.chunk=2", "there is no key 'policy.chunk'"),
        ("policy=gru policy.chunk=2 view.stack=3", "policy=gru acts on 1 (policy.window)"),
        ("env=gym env.id=FrozenLake-v1 policy.chunk=2", "observations are discrete"),
        ("policy.chunk=2.5", "must be a whole number"),
    ],
)
def test_wrong_values_are_refused_in_a_sentence(words, sentence, tmp_path):
    tiny = [word for word in TINY if not word.startswith("policy")]
    done = dagger("train", *tiny, *words.split(), cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    said = " ".join(done.err.split())
    assert re.search(re.escape(sentence), said) and "Traceback" not in said, said
