"""Policies over a window of observations: their equations, their batches, their runs."""

from __future__ import annotations

import json
import re

import gymnasium as gym
import numpy as np
import pytest
import torch
import yaml
from safetensors.numpy import load_file

from dagger_cli import load_policy
from dagger_cli.core.compact import CompactRows
from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.row_forms import rows_in
from dagger_cli.core.types import History, Observation, Space
from dagger_cli.networks.recurrent import Recurrent
from dagger_cli.policies.memory import gru_learner
from tests.e2e.running import TINY, dagger, differences, train

HISTORY = History(3, 2, 1)
SEEN = Space("box", (8,), "float32", (-9.0,) * 8, (9.0,) * 8)
CHOICE = Space("discrete", (), "int64", sizes=(2,))
FIT = {
    "optimizer": "adam",
    "learning_rate": 1e-2,
    "weight_decay": 0.0,
    "batch_size": 32,
    "gradient_steps": 150,
    "epochs": None,
    "warm_start": True,
    "decay": True,
    "normalize": True,
}


def learner(history=HISTORY, seen=SEEN):
    return gru_learner(
        seen, CHOICE, past=history, window=3, units=16, loss="auto", threads=1, **FIT
    )


def test_a_frame_and_the_action_before_it_are_one_time_step():
    network = Recurrent(HISTORY, 4, 2)
    stack = torch.tensor([[1.0, 2, 3, 4, 5, 6, -1, -2]])
    steps = torch.tensor([[[1.0, 2, 0], [3, 4, -1], [5, 6, -2]]])
    hidden = torch.zeros(1, 4)
    cell = torch.nn.GRUCell(3, 4)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in network.cells.state_dict().items()})
    for step in steps[0]:
        hidden = cell(step[None], hidden)
    assert torch.allclose(network(stack), network.last(hidden), atol=1e-6)


def test_hidden_layers_get_the_state_and_the_newest_time_step():
    network = Recurrent(HISTORY, 4, 2, sizes=[5], option="relu")
    stack = torch.tensor([[1.0, 2, 3, 4, 5, 6, -1, -2]])
    _, hidden = network.cells(torch.tensor([[[1.0, 2, 0], [3, 4, -1], [5, 6, -2]]]))
    features = torch.cat([hidden[0], torch.tensor([[5.0, 6, -2]])], dim=1)
    first, second = (layer for layer in network.last if isinstance(layer, torch.nn.Linear))
    assert (first.in_features, first.out_features, second.in_features) == (7, 5, 5)
    assert torch.allclose(network(stack), second(first(features).relu()), atol=1e-6)


def test_it_learns_what_only_the_past_tells(rng):
    """The label is whether the first of three frames was positive."""
    obs = rng.standard_normal((600, 8)).astype(np.float32)
    data = Dataset(obs, np.zeros(600, np.int64), (obs[:, 0] > 0).astype(np.int64), (600,))
    policy, _ = learner().fit(data[:400], None, rng)
    unseen = data[400:]
    actions = policy.act(Observation(unseen.obs, unseen.steps), rng).actions
    assert (actions == unseen.labels).mean() > 0.9


def test_a_row_does_not_depend_on_its_batch_and_packing_keeps_every_bit(rng):
    obs = rng.standard_normal((300, 8)).astype(np.float32)
    data = Dataset(obs, np.zeros(300, np.int64), (obs[:, 2] > 0).astype(np.int64), (300,))
    ours = learner()
    policy, _ = ours.fit(data, None, rng)
    again = ours.unpack(ours.pack(policy))
    whole = policy.outputs(obs)
    for rows in (slice(0, 1), slice(5, 38), slice(None, None, 7)):
        assert np.abs(policy.outputs(obs[rows]) - whole[rows]).max() < 1e-12
        assert np.array_equal(policy.outputs(obs[rows]), again.outputs(obs[rows]))


def test_of_a_gated_run_the_steps_without_a_label_are_kept_too(tmp_path):
    tiny = [word for word in TINY if word != "policy.sizes=[16]"]
    words = ("policy=gru", "policy.units=8", *GATED, "hydra.run.dir=run")
    assert dagger("train", *tiny, *words, cwd=tmp_path).code == 0
    shard = tmp_path / "run" / "checkpoints" / "aggregate" / "round_0003.safetensors"
    stored = rows_in(load_file(shard))
    assert isinstance(stored, CompactRows)
    parts = stored.parts
    assert 0 < len(stored) < 100 and len(parts["frames"]) > len(stored)
    assert (parts["past"] == load_file(shard)["steps"]).all()


def test_a_student_with_a_state_acts_in_python_as_in_its_evaluation(tmp_path):
    """Also in environments that begin their episodes at different times."""
    words = ("policy=gru", "policy.units=8", "view.keep=[0,2]", "rounds=1")
    tiny = [word for word in TINY if word != "policy.sizes=[16]"]
    assert dagger("train", *tiny, *words, "hydra.run.dir=run", cwd=tmp_path).code == 0
    asked = ("checkpoint=run", "episodes=3", "seed=1000", "json=a.json")
    assert dagger("eval", *asked, cwd=tmp_path).code == 0
    wanted = json.loads((tmp_path / "a.json").read_text())["returns"]
    student = load_policy(tmp_path / "run")
    envs = [gym.make("CartPole-v1", max_episode_steps=60) for _ in wanted]
    seen = np.array([env.reset(seed=1000 + i)[0][[0, 2]] for i, env in enumerate(envs)])
    state, starts, alive, returns = None, None, np.ones(3, bool), np.zeros(3)
    while alive.any():
        actions, state = student.predict(seen, state, starts)
        starts = np.zeros(3, bool)
        for i, env in enumerate(envs):
            obs, reward, terminated, truncated, _ = env.step(int(actions[i]))
            returns[i] += reward * alive[i]
            if terminated or truncated:  # it plays on, as in a vectorized environment
                alive[i], starts[i] = False, True
                obs, _ = env.reset(seed=7)
            seen[i] = obs[[0, 2]]
    assert returns.tolist() == wanted
    with pytest.raises(ConfigError, match="the state is of 3 episodes, but there are 2"):
        student.predict(seen[:2], state)


def test_a_data_set_of_whole_observations_is_what_it_learns_from(tmp_path):
    train("rounds=1", cwd=tmp_path, run="teacher")
    written = ("run=teacher", "format=npz", "path=d.npz")
    assert dagger("data", "export", *written, cwd=tmp_path).code == 0
    tiny = [word for word in TINY if word != "policy.sizes=[16]"]
    words = ("policy=gru", "policy.units=8", "trainer.demonstrations=d.npz", "hydra.run.dir=run")
    done = dagger("train", *tiny, *words, cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    aggregate = tmp_path / "run" / "checkpoints" / "aggregate"
    first = load_file(aggregate / "round_0001.safetensors")
    assert (first["obs.past"] == first["steps"]).all() and len(first["obs.frames"]) == 100


@pytest.mark.parametrize("policy", ["window", "gru"])
def test_the_policys_window_is_what_the_view_stacks(policy, tmp_path):
    done = dagger(
        "train",
        "env=cartpole",
        f"policy={policy}",
        "policy.window=3",
        "--cfg=job",
        "--resolve",
        cwd=tmp_path,
    )
    assert yaml.safe_load(done.out)["view"]["stack"] == 3


WINDOW = ("policy=gru_window", "policy.window=3", "view.stack_actions=true")
GATED = ("trainer=hg_dagger", "trainer.enter=0.3", "trainer.leave=0.1")
RESUMED = {
    "window": (*WINDOW, "beta=exponential"),
    "dagger": ("view=delay", "view.stack_actions=true"),
    "gated": (*GATED, "view=noise"),
    "ensemble": ("trainer=ensemble_dagger", "view=noise"),
    "mixture": ("trainer=smile", "view.keep=[0,2]"),
    "roll-outs": (
        "trainer=searn",
        "trainer.costs=rollout",
        "trainer.cost_rollouts.horizon=3",
        "view.stack=2",
        "policy.window=2",
    ),
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n in ("dagger", "gated") else pytest.mark.slow) for n in RESUMED],
)
def test_a_resumed_run_equals_an_uninterrupted_one(name, tmp_path):
    """Episodes go on in the next round, so their states have to be found again."""
    tiny = [word for word in TINY if word != "policy.sizes=[16]"]
    policy = () if name == "window" else ("policy=gru",)
    words = (*policy, "policy.units=8", *RESUMED[name])
    for run, more in (("whole", ()), ("short", ("rounds=2",))):
        done = dagger("train", *tiny, *words, *more, f"hydra.run.dir={run}", cwd=tmp_path)
        assert (done.code, done.err) == (0, ""), done.err
    assert dagger("train", "resume=short", "rounds=3", cwd=tmp_path).code == 0
    assert differences(tmp_path / "whole", tmp_path / "short") == []


def test_a_window_is_faster_to_name_than_to_stack(tmp_path):
    """policy=window is policy=mlp with the view's stack: the same bits."""
    stacked = train("view.stack=4", "rounds=1", cwd=tmp_path, run="stacked")
    window = train("policy=window", "rounds=1", cwd=tmp_path, run="window")
    assert differences(stacked, window) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("policy=gru view=stack", "view=stack shows the last 4 .* policy=gru acts on 1 .*window=4"),
        ("policy=gru view.past=false", "view.past=false does not fit .* leave view.past out"),
        ("policy=mlp +policy.sizes=[4] view.past=true", "view.past=true does not fit policy=mlp"),
        ("policy=gru policy.truncate=0", "policy.truncate must be at least 1"),
        ("policy=gru policy.chunk=2", "policy.carry=true and policy.chunk above 1 do not go"),
        ("policy=gru policy.carry=false", "policy.window must be at least 2, got 1; try"),
        ("policy=gru_window policy.window=1", "policy.window must be at least 2, got 1; try"),
        ("policy=window view=stack view.noise=0.1 policy.window=3", "leave view=stack out, as"),
        ("policy=window view.stack=3", r"leave view.stack=3 out, .* or add policy.window=3$"),
        ("policy=gru policy.window=8 view.stack=1", "view.stack=1 shows one .* sets the stack$"),
        ("policy=gru policy.window=1001", "policy.window must be at most 1,000"),
        ("policy=gru view=pixels", "window and gru are for flat observations, .* use policy=cnn"),
        ("policy=window policy.window=1", "policy.window must be at least 2"),
        ("policy=gru policy.units=0", "policy.units must be at least 1"),
        ("env=gym env.id=FrozenLake-v1 policy=gru", "observations are discrete"),
    ],
)
def test_wrong_values_are_refused_in_a_sentence(words, sentence, tmp_path):
    tiny = [word for word in TINY if word != "policy.sizes=[16]"]
    done = dagger("train", *tiny, *words.split(), cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert re.search(sentence, " ".join(done.err.split())), done.err
