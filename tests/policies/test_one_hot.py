"""Discrete observations have one input per choice: a table can be learned and exported."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from dagger_cli.core.errors import CheckpointError, ConfigError, ExpertError
from dagger_cli.core.one_hot import MAX_FEATURES, OneHotRows
from dagger_cli.core.policies import act_each
from dagger_cli.core.types import Space
from dagger_cli.networks.agent_files import Agent, load_agent, save_agent
from dagger_cli.networks.layers import OneHot
from dagger_cli.networks.network import Network
from dagger_cli.networks.spec_json import spec_from_json
from dagger_cli.networks.spec_modules import spec_of
from dagger_cli.policies.sources import torch_learner
from dagger_cli.policies.svm import SvmLearner
from dagger_cli.publish.graph import to_onnx, to_torchscript
from dagger_cli.publish.sb3 import to_sb3

from .learners import BOX, CHOICE, dataset, learner, observation

CONF = Path(__file__).parents[2] / "conf" / "policy"
ROOMS = Space("discrete", (), "int64", sizes=(30,))
LATE = Space("discrete", (), "int64", sizes=(30,), start=7)
PAIR = Space("multi_discrete", (2,), "int64", sizes=(5, 6))
TABLE = np.random.default_rng(0).integers(-1, 2, 30)  # an action of CHOICE for every state


def states(space: Space) -> np.ndarray:
    if space is PAIR:
        return np.stack(np.divmod(np.arange(30), 6), axis=1)
    return np.arange(30) + space.start


def fitted(space, actions=CHOICE, **changes):
    labels = TABLE if actions is CHOICE else np.stack([TABLE, TABLE / 4 + 0.5], 1).astype("f4")
    data = dataset(states(space), labels)
    options = {"sizes": [16], "gradient_steps": 300, "batch_size": 30, "one_hot": True}
    made = learner(space, actions, **(options | changes))
    return made, made.fit(data, None, np.random.default_rng(0)).policy


def act(policy, obs):
    return policy.act(observation(obs), np.random.default_rng(0)).actions


def test_features():
    rows = OneHotRows(PAIR, np.float64)(np.array([[4, 0], [0, 5]]))
    assert rows.dtype == np.float64 and rows.shape == (2, 11)
    assert [np.flatnonzero(row).tolist() for row in rows] == [[4, 5], [0, 10]]
    late = OneHotRows(LATE, np.uint8)(np.array([7, 36]))
    assert [np.flatnonzero(row).tolist() for row in late] == [[0], [29]]


@pytest.mark.parametrize("space", [ROOMS, LATE, PAIR])
def test_the_layer_is_the_function(space):
    obs, layer = states(space), OneHot(space)
    assert not layer.state_dict()
    for module, dtype in ((layer, torch.float32), (OneHot(space).double(), torch.float64)):
        features = module(torch.from_numpy(obs))
        assert features.dtype == dtype
        np.testing.assert_array_equal(features.numpy(), OneHotRows(space, np.float64)(obs))


@pytest.mark.parametrize("space", [ROOMS, LATE, PAIR])
def test_a_table_is_learned(space):
    _, policy = fitted(space)
    np.testing.assert_array_equal(act(policy, states(space)), TABLE)


def test_a_table_is_not_learned_from_its_numbers():
    _, policy = fitted(ROOMS, one_hot=False)
    assert (act(policy, states(ROOMS)) != TABLE).mean() > 0.1


def test_checkpoints_from_before_keep_their_network():
    """Their configs have no `one_hot`; the YAML files, for new runs, have it."""
    for name in ("mlp", "torch", "svm"):
        text = (CONF / f"{name}.yaml").read_text()
        assert yaml.safe_load(text)["one_hot"] is True
    old = learner(ROOMS, CHOICE)
    policy = old.fit(dataset(states(ROOMS), TABLE), None, np.random.default_rng(0)).policy
    assert "network.0.mean" in old.pack(policy)
    assert act(old.unpack(old.pack(policy)), states(ROOMS)).shape == (30,)
    with pytest.raises(CheckpointError, match="another shape than its config says"):
        learner(ROOMS, CHOICE, one_hot=True).unpack(old.pack(policy))


def test_packed_and_joint_policies_act_as_alone():
    made, policy = fitted(PAIR)
    _, other = fitted(PAIR, gradient_steps=3)
    obs = states(PAIR)
    np.testing.assert_array_equal(act(made.unpack(made.pack(policy)), obs), act(policy, obs))
    chosen = np.arange(30) % 2
    both = act_each((policy, other), chosen, observation(obs), np.random.default_rng(0)).actions
    np.testing.assert_array_equal(both, np.where(chosen == 0, act(policy, obs), act(other, obs)))


def test_boxes_and_switches_are_not_encoded():
    made = learner(Space("multi_binary", (2,), "int8", sizes=(2, 2)), CHOICE, one_hot=True)
    assert {"0.mean", "0.std"} <= made.make_network().state_dict().keys()


def test_too_many_choices_are_refused():
    with pytest.raises(ConfigError, match=r"100,001 choices .* policy\.one_hot=false"):
        learner(Space("discrete", (), "int64", sizes=(MAX_FEATURES + 1,)), CHOICE, one_hot=True)


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
@pytest.mark.parametrize("actions", [CHOICE, BOX], ids=["choices", "box"])
@pytest.mark.parametrize("space", [ROOMS, LATE, PAIR])
def test_exports_answer_as_the_policy(space, actions, tmp_path):
    _, policy = fitted(space, actions)
    obs = states(space)
    data, difference = to_torchscript(policy, space, actions)
    assert difference < 1e-5
    script = torch.jit.load(io.BytesIO(data))(torch.from_numpy(obs))[0].numpy()
    np.testing.assert_allclose(script, act(policy, obs), atol=1e-5)
    save_agent(Agent(*spec_of(policy.network, space, actions), {}), tmp_path / "agent")
    agent = load_agent(tmp_path / "agent")
    network = Network(agent.spec, agent.weights)
    np.testing.assert_allclose(network.act(obs, None), act(policy, obs), atol=1e-6)


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
@pytest.mark.parametrize("actions", [CHOICE, BOX], ids=["choices", "box"])
@pytest.mark.parametrize("space", [ROOMS, PAIR])
@pytest.mark.slow
def test_onnx_answers_as_the_policy(space, actions):
    pytest.importorskip("onnxruntime", reason="the export extra is not installed")
    assert to_onnx(fitted(space, actions)[1], space, actions)[1] < 1e-5


@pytest.mark.parametrize("space", [ROOMS, PAIR])
def test_stable_baselines3_answers_as_the_policy(space):
    from stable_baselines3 import TD3

    _, policy = fitted(space, BOX)
    archive = to_sb3(Agent(*spec_of(policy.network, space, BOX), {}))
    model = TD3.load(io.BytesIO(archive.data), device="cpu")
    answer = model.predict(states(space), deterministic=True)[0]
    np.testing.assert_allclose(answer, act(policy, states(space)), atol=1e-5)


def test_stable_baselines3_cannot_have_numbers_or_another_start():
    for space, changes in ((LATE, {}), (ROOMS, {"one_hot": False})):
        _, policy = fitted(space, **changes)
        with pytest.raises(ExpertError, match="Discrete ones from 0 that are one-hot"):
            to_sb3(Agent(*spec_of(policy.network, space, CHOICE), {}))


def test_a_card_cannot_ask_for_more_inputs_than_there_may_be():
    _, policy = fitted(ROOMS)
    spec, _ = spec_of(policy.network, ROOMS, CHOICE)
    huge = spec.to_json()
    huge["observation_space"] |= {"sizes": [2**31 - 1], "shape": []}
    with pytest.raises(ExpertError, match="too many choices"):
        spec_from_json(json.loads(json.dumps(huge)))


def test_whole_number_boxes_cannot_be_td3():
    whole = Space("box", (2,), "int8", (-1.0,) * 2, (1.0,) * 2)
    made = learner(ROOMS, whole, one_hot=True, gradient_steps=1)
    labels = np.zeros((30, 2), np.int8)
    policy = made.fit(dataset(states(ROOMS), labels), None, np.random.default_rng(0)).policy
    with pytest.raises(ExpertError, match=r"whole-number Box actions \(int8\)"):
        to_sb3(Agent(*spec_of(policy.network, ROOMS, whole), {}))


def test_own_networks_get_the_features():
    made = torch_learner(
        PAIR, CHOICE, network=lambda inputs, outputs: torch.nn.Linear(inputs, outputs),
        loss="auto", normalize=True, threads=None, one_hot=True, optimizer="adam",
        learning_rate=0.1, weight_decay=0.0, batch_size=30, epochs=None, gradient_steps=5,
        warm_start=True, decay=False,
    )  # fmt: skip
    policy = made.fit(dataset(states(PAIR), TABLE), None, np.random.default_rng(0)).policy
    assert policy.network.network.weight.shape == (3, 11)
    assert act(policy, states(PAIR)).shape == (30,)


def test_support_vector_machines_learn_a_table():
    made = SvmLearner(
        observations=LATE, actions=CHOICE, reduction="one_vs_rest", decode="margins",
        regularization=1e-4, learning_rate=0.05, row_visits=20_000, one_hot=True,
    )  # fmt: skip
    data = dataset(states(LATE), TABLE)
    policy = made.fit(data, None, np.random.default_rng(0)).policy
    np.testing.assert_array_equal(act(policy, data.obs), TABLE)
    np.testing.assert_array_equal(act(made.unpack(made.pack(policy)), data.obs), TABLE)
    assert to_torchscript(policy, LATE, CHOICE)[1] < 1e-5


def test_agents_of_observations_that_do_not_start_at_0():
    _, policy = fitted(LATE)
    spec, weights = spec_of(policy.network, LATE, CHOICE)
    assert spec.to_json()["layers"][0]["kind"] == "OneHot"
    answers = Network(spec, weights).act(states(LATE), None)
    np.testing.assert_array_equal(answers, act(policy, states(LATE)))
