"""The Python API: runs and policies from a program, several in one process."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig

import dagger_cli
from dagger_cli.core.types import Observation
from tests.e2e.running import TINY, dagger

QUIET = [*TINY, "logger=jsonl"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    return dagger_cli.train([*QUIET, f"hydra.run.dir={folder}/run"])


def test_everything_public_exists_and_is_typed():
    for name in dagger_cli.__all__:
        assert getattr(dagger_cli, name) is not None
    source = Path(dagger_cli.__file__).read_text()
    (block,) = (node for node in ast.parse(source).body if isinstance(node, ast.If))
    imported = {alias.name for node in block.body for alias in node.names}
    assert imported | {"__version__"} == set(dagger_cli.__all__)
    assert Path(dagger_cli.__file__).with_name("py.typed").is_file()
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        dagger_cli.nope  # noqa: B018


def test_a_run_is_the_one_that_the_command_makes(run, tmp_path):
    assert dagger("train", *QUIET, "hydra.run.dir=run", cwd=tmp_path).code == 0
    both = (run.path, tmp_path / "run")
    assert len({(p / "checkpoints/last/policy.safetensors").read_bytes() for p in both}) == 1
    assert run.summary["student"] == json.loads((both[1] / "summary.json").read_text())["student"]
    assert [row["round"] for row in run.metrics] == [1, 2, 3]
    assert run.config["trainer"]["name"] == "dagger"


def test_nothing_of_hydra_is_left_and_several_runs_fit_in_one_process(here, capsys):
    runs = [dagger_cli.train([*QUIET, "rounds=1", f"seed={seed}"]) for seed in (0, 1, 0)]
    assert len({one.path for one in runs}) == 3
    assert not GlobalHydra.instance().is_initialized() and HydraConfig.instance().cfg is None
    losses = [one.metrics[0]["train/loss"] for one in runs]
    assert losses[0] == losses[2] != losses[1]
    assert capsys.readouterr().out == ""  # logger=jsonl has no console


def test_it_leaves_a_programs_own_hydra_alone(here, tmp_path):
    from hydra import compose

    from dagger_cli.cli.hydra_compat import initialized

    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "mine.yaml").write_text("a: 1\n")
    with initialized(str(tmp_path / "conf")):
        dagger_cli.load_expert(["env=cartpole", "expert=bundled"])
        assert compose("mine").a == 1


def test_a_run_is_found_and_resumed(run, here):
    found = dagger_cli.load_run(run.path)
    assert found == run
    copy = dagger_cli.train([*QUIET, "rounds=2", "hydra.run.dir='with space'"])
    more = copy.resume("rounds=3 logger=jsonl")
    assert more == copy and [row["round"] for row in more.metrics] == [1, 2, 3]


@pytest.mark.filterwarnings("ignore:Evaluation environment is not wrapped")
def test_a_policy_predicts_as_stable_baselines3_expects(run):
    from stable_baselines3.common.evaluation import evaluate_policy

    policy = dagger_cli.load_policy(run.path)
    env = gymnasium.make("CartPole-v1", max_episode_steps=60)
    mean, _ = evaluate_policy(policy, env, n_eval_episodes=3)
    assert mean > 10
    observation, _ = env.reset(seed=3)
    one, _ = policy.predict(observation)
    many, state = policy.predict(np.stack([observation] * 4))
    assert np.ndim(one) == 0 and many.shape == (4,) and (many == one).all()
    assert state.tolist() == [1, 1, 1, 1]
    with pytest.raises(dagger_cli.ConfigError, match=r"takes observations of shape \(4,\)"):
        policy.predict(observation[:2])


def test_the_state_counts_the_steps_of_episodes():
    class Clock:
        def act(self, observation: Observation, rng: np.random.Generator) -> dagger_cli.Acts:
            return dagger_cli.Acts(observation.t.copy(), np.zeros(len(observation), bool))

    space = dagger_cli.Space("box", (1,), "float32", (-1.0,), (1.0,))
    policy = dagger_cli.LoadedPolicy(Clock(), space, space)
    rows, state, seen = np.zeros((2, 1)), None, []
    for starts in ([True, True], [False, False], [False, True], [False, False]):
        actions, state = policy.predict(rows, state=state, episode_start=np.array(starts))
        seen.append(actions.tolist())
    assert seen == [[0, 0], [1, 1], [2, 0], [3, 1]]


def test_an_expert_is_loaded_with_its_card(here):
    expert = dagger_cli.load_expert("env=cartpole expert=bundled")
    assert expert.card is not None and "CartPole-v1" in expert.card.name
    action, _ = expert.predict(np.zeros(4, np.float32))
    assert action in (0, 1)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["env=bipdal"], "did you mean 'bipedal'?"),
        (["policy.learning_rate=fast"], "policy.learning_rate must be a number"),
        (["rounds=x"], "rounds must be a whole number"),
        (["-m", "seed=0,1"], "in a program, write a loop"),
        (["nonsense"], "'nonsense' is not key=value"),
        (["+nope=1"], "there is no key 'nope'"),
    ],
)
def test_errors_are_the_sentences_of_the_command(here, words, sentence):
    with pytest.raises(dagger_cli.DaggerError) as caught:
        dagger_cli.train(words)
    assert sentence in str(caught.value)
    assert not GlobalHydra.instance().is_initialized() and HydraConfig.instance().cfg is None


def test_what_is_no_run_is_refused(here):
    for load in (dagger_cli.load_run, dagger_cli.load_policy):
        with pytest.raises(dagger_cli.CheckpointError):
            load("nowhere")


def test_the_import_is_light():
    code = "import sys, dagger_cli; print(sorted({'torch', 'hydra', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
