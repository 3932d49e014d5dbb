"""Students with a view in other programs: exported, as experts, in Python, on a model card."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
import torch

from dagger_cli import load_expert, load_policy
from dagger_cli.core.errors import ExpertError
from dagger_cli.publish.card import card_text
from dagger_cli.views.words import in_words
from tests.e2e.running import TINY, dagger, train

FORMATS = {"onnx": "s.onnx", "torchscript": "s.pt"}


def exported(cwd, format):
    words = (f"format={format}", f"path={FORMATS[format]}")
    done = dagger("export", "checkpoint=run", *words, cwd=cwd)
    assert (done.code, done.err) == (0, ""), done.err
    return " ".join(done.out.split())


def answers(path, obs):
    """The actions of an exported file."""
    if path.suffix == ".pt":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch says that it will be replaced
            return torch.jit.load(path)(torch.from_numpy(obs))[0].numpy()
    session = pytest.importorskip("onnxruntime").InferenceSession(path)
    return session.run(["actions"], {"observations": obs})[0]


@pytest.fixture(scope="module")
def selecting(tmp_path_factory):
    """The folder of a run whose student sees two components of four."""
    folder = tmp_path_factory.mktemp("selecting")
    train("view.keep=[3,1]", "rounds=1", cwd=folder)
    return folder


@pytest.mark.parametrize("format", ["torchscript", pytest.param("onnx", marks=pytest.mark.slow)])
def test_a_graph_of_components_takes_whole_observations(format, selecting, rng):
    said = exported(selecting, format)
    assert "input observations (n, 4) float32" in said and "selects components [3, 1]" in said
    obs = rng.standard_normal((50, 4)).astype(np.float32)
    actions = answers(selecting / FORMATS[format], obs)
    assert np.array_equal(actions, load_policy(selecting / "run").predict(obs)[0])
    obs[:, [0, 2]] += 10  # what it does not see
    assert np.array_equal(actions, answers(selecting / FORMATS[format], obs))


def test_it_teaches_and_is_read_by_python(selecting):
    words = ("env=cartpole", "expert=path", "expert.path=run", "episodes=3")
    done = dagger("expert", "score", *words, "json=a.json", cwd=selecting)
    assert (done.code, done.err) == (0, ""), done.err
    long = ("episodes=3", "json=b.json")
    assert dagger("eval", "checkpoint=run", *long, cwd=selecting).code == 0
    one, two = (json.loads((selecting / f"{x}.json").read_text())["returns"] for x in "ab")
    assert np.minimum(one, 60).tolist() == two  # the run's episodes end after 60 steps
    tiny = [word for word in TINY if not word.startswith("expert")]
    done = dagger(
        "train", *tiny, "expert=path", "expert.path=run", "rounds=1", "view.stack=2", cwd=selecting
    )
    assert (done.code, done.err) == (0, ""), done.err


TEACHERS = {
    "noise": ("view=noise",),
    "window": ("view=delay", "policy=window", "policy.window=3", "view.stack_actions=true"),
    "chunk": ("view=delay", "policy.chunk=3"),
    "gru": ("view=delay", "policy=gru", "policy.units=8"),
    "forward": ("view=stack", "trainer=forward"),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in ("window", "gru") else pytest.mark.slow)
        for name in TEACHERS
    ],
)
def test_an_expert_sees_its_own_view_and_so_has_its_own_score(name, tmp_path):
    tiny = [word for word in TINY if name != "forward" or not word.startswith("rounds")]
    rounds = () if name == "forward" else ("rounds=1",)
    more = ("rounds=4",) if name == "forward" else ()
    chosen = {word.partition("=")[0]: word for word in (*tiny, *rounds, *TEACHERS[name], *more)}
    done = dagger("train", *chosen.values(), "hydra.run.dir=run", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    shown = ("env=cartpole", "env.max_episode_steps=60", "expert=path", "expert.path=run")
    played = ("episodes=3", "seed=1000")
    assert dagger("expert", "score", *shown, *played, "json=a.json", cwd=tmp_path).code == 0
    assert dagger("eval", "checkpoint=run", *played, "json=b.json", cwd=tmp_path).code == 0
    one, two = (json.loads((tmp_path / f"{x}.json").read_text())["returns"] for x in "ab")
    assert one == two
    assert dagger("expert", "show", *shown, cwd=tmp_path).code == 0
    with pytest.raises(ExpertError, match="acts only where it sees whole episodes"):
        load_expert([*shown[:3], f"expert.path={tmp_path}/run"]).predict(np.zeros(4, np.float32))


def test_a_mixture_with_a_view_does_not_teach(tmp_path):
    words = ("trainer=smile", "view=stack", "rounds=2")
    train(*words, cwd=tmp_path)
    done = dagger("expert", "score", "env=cartpole", "expert=path", "expert.path=run", cwd=tmp_path)
    assert done.code == 2 and "use a student of trainer=dagger" in done.err


def test_it_is_no_archive_of_stable_baselines3(selecting):
    done = dagger("export", "checkpoint=run", "format=sb3", "path=a.zip", cwd=selecting)
    assert done.code == 2 and "student has a view, a memory or chunks: use format=onnx" in done.err


SLOW = pytest.mark.slow


@pytest.mark.parametrize("format", ["torchscript", pytest.param("onnx", marks=SLOW)])
@pytest.mark.parametrize("policy", ["gru_window", pytest.param("window", marks=SLOW)])
def test_a_graph_of_a_stack_says_what_its_input_is(policy, format, tmp_path, rng):
    tiny = [word for word in TINY if word != "policy.sizes=[16]"]
    words = (f"policy={policy}", "policy.window=3", "view.keep=[0,2]", "view.delay=1", "rounds=1")
    done = dagger("train", *tiny, *words, "hydra.run.dir=run", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    obs = rng.standard_normal((50, 6)).astype(np.float32)
    policy = load_policy(tmp_path / "run")
    assert "input observations (n, 6) float32" in exported(tmp_path, format)
    path = tmp_path / FORMATS[format]
    assert np.array_equal(answers(path, obs), policy.predict(obs)[0])
    view = json.loads((tmp_path / f"{path.name}.view.json").read_text())
    assert (view["keep"], view["delay"], view["stack"]) == ([0, 2], 1, 3)
    assert view["input_shape"] == [6] and "last 3 of these" in view["input"]


@pytest.mark.parametrize("format", ["torchscript", pytest.param("onnx", marks=SLOW)])
def test_a_graph_of_a_state_takes_one_step(format, tmp_path, rng):
    """Its states go from one call to the next, as the file beside it says."""
    tiny = [word for word in TINY if word != "policy.sizes=[16]"]
    words = ("policy=gru", "policy.units=8", "view.keep=[0,2]", "view.stack_actions=true")
    done = dagger("train", *tiny, *words, "rounds=1", "hydra.run.dir=run", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    said = exported(tmp_path, format)
    assert "observations (n, 4) float32, states (n, 8) float32, zeros at the start" in said
    path = tmp_path / FORMATS[format]
    view = json.loads((tmp_path / f"{path.name}.view.json").read_text())
    assert "then the last action" in view["input"] and "next_states" in view["input"]
    policy, state, states = load_policy(tmp_path / "run"), None, np.zeros((50, 8), np.float32)
    for _ in range(30):
        obs = rng.standard_normal((50, 4)).astype(np.float32)
        wanted, state = policy.predict(obs, state)
        if path.suffix == ".pt":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                loaded = torch.jit.load(path)(torch.from_numpy(obs), torch.from_numpy(states))
            actions, _, states = (found.numpy() for found in loaded)
        else:
            session = pytest.importorskip("onnxruntime").InferenceSession(path)
            given = {"observations": obs, "states": states}
            actions, _, states = session.run(["actions", "outputs", "next_states"], given)
        assert np.array_equal(actions, wanted)


def test_words_name_every_key_that_changes_something():
    assert in_words({}) == in_words({"name": "full", "stack": 1, "grey": True}) == ""
    said = in_words({"pixels": 84, "noise": 0.5, "delay": 2, "stack": 4, "stack_actions": True})
    for part in (
        "84 x 84 pixels, grey",
        "deviation 0.5",
        "2 env steps late",
        "last 4",
        "3 actions",
    ):
        assert part in said


def test_a_model_card_tells_the_view():
    facts = {"trainer": "dagger", "trained_in": "X-v0", "round": 1, "labels": 2, "env_steps": 3}
    config = {"env": {"name": "x"}, "seed": 0, "view": {"keep": [0], "stack": 2}}
    given = (facts | {"dagger_version": "1"}, {"name": "e", "source": "s"})
    text = card_text("a/b", *given, config, {}, [], video=False)
    assert "## What it sees" in text and "components [0]" in text and '"stack": 2' in text
    text = card_text("a/b", *given, config | {"view": {"name": "full"}}, {}, [], video=False)
    assert "What it sees" not in text
