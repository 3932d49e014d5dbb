"""Archives that look as they did in 2021: no `gym`, other names, wrappers, other versions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from old import made_old
from test_equals_sb3 import ARM, CLOSE, FLAT, FOUR, MADE, MULTI, make, network, shake
from trusted import space_of

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Card, Observation
from dagger_cli.experts.network_expert import expert_from
from dagger_cli.experts.path import Path as FromPath
from dagger_cli.experts.sb3.convert import AgentFiles, agent_from
from dagger_cli.networks.agent_files import load_agent

# CrossQ came later, unshared extractors of actor and critic with 1.7.
OLD = [case for case in MADE if case[0] != "CrossQ" and "share_features_extractor" not in case[5]]
pytestmark = pytest.mark.filterwarnings("ignore")


def some(space: Any) -> Any:
    space.seed(1)
    return np.stack([space.sample() for _ in range(16 if len(space.shape) == 3 else 1000)])


@pytest.mark.parametrize(
    "legacy",
    [
        pytest.param(False, id="zipped", marks=pytest.mark.slow),
        pytest.param(True, id="before torch 1.6"),
    ],
)
@pytest.mark.parametrize("case", OLD, ids=lambda c: f"{c[0]}-{c[1]}")
def test_every_algorithm_is_read_as_it_was_written_then(
    case: Any, legacy: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = make(*case)
    shake(model)
    model.save("new.zip")
    version = None if legacy else "1.1.0a11"
    old = made_old(Path("new.zip"), Path("old.zip"), version=version, legacy=legacy)
    expected, _ = model.predict(some(case[2]), deterministic=True)
    ours = network(AgentFiles(old), case[2], case[3]).act(some(case[2]), None)
    assert np.abs(ours.astype(np.float64) - expected).max() <= CLOSE
    assert not Path("canary").exists() and "gym" not in sys.modules


@pytest.mark.parametrize("shared", [1, 2])
@pytest.mark.parametrize("algo", ["A2C", "PPO", "TRPO"])
def test_layers_that_actor_and_critic_shared(algo: str, shared: int, tmp_path: Path) -> None:
    """`net_arch=[9, dict(pi=[8, 7], vf=[6])]` until 1.8: the first layers were one for both."""
    model = make(algo, "MlpPolicy", FLAT, ARM, {}, {"net_arch": {"pi": [9, 8, 7], "vf": [6]}})
    shake(model)
    model.save(tmp_path / "new.zip")
    old = made_old(tmp_path / "new.zip", tmp_path / "old.zip", shared=shared)
    expected, _ = model.predict(some(FLAT), deterministic=True)
    ours = network(AgentFiles(old), FLAT, ARM).act(some(FLAT), None)
    assert np.abs(ours - expected).max() <= CLOSE


def an_old_one(folder: Path, actions: Any = ARM, **files: str) -> AgentFiles:
    """An old PPO agent, and the YAML files beside it."""
    make("PPO", "MlpPolicy", FLAT, actions, {}, {}).save(folder / "new.zip")
    made_old(folder / "new.zip", folder / "ppo-Own-v0.zip")
    (folder / "new.zip").unlink()
    for name, text in files.items():
        (folder / f"{name}.yml").write_text(text)
    return AgentFiles(folder / "ppo-Own-v0.zip", None, *(folder / f"{name}.yml" for name in files))


WRAPPED = """!!python/object/apply:collections.OrderedDict
- - - env_wrapper
    - - sb3_contrib.common.wrappers.TimeFeatureWrapper
      - rl_zoo3.wrappers.FrameSkip: {skip: 2}
  - - frame_stack
    - 4
"""


def test_wrappers_are_named_where_the_agent_does_not_fit(tmp_path: Path) -> None:
    files = an_old_one(tmp_path, config=WRAPPED)
    other = spaces.Box(-1, 1, (3,), np.float32)
    words = "observations of 5 numbers, but .* behind TimeFeatureWrapper, FrameSkip, a stack of 4"
    with pytest.raises(ExpertError, match=words) as caught:
        agent_from(files, space_of(other), space_of(ARM))
    assert "\n" not in str(caught.value)


def test_the_time_left_is_appended_for_an_agent_that_was_trained_with_it(tmp_path: Path) -> None:
    """rl-zoo's TimeFeatureWrapper: 1 at the start, 1 - t/limit after t steps, in float32."""
    files = an_old_one(tmp_path, config=WRAPPED)
    own = spaces.Box(-1, 1, (4,), np.float64)
    agent = agent_from(files, space_of(own), space_of(ARM))
    assert agent.spec.time_feature and agent.spec.env_space.shape == (4,)
    assert agent.facts["trained_behind"] == "FrameSkip, a stack of 4 frames"
    card = Card("own", "here", "0" * 64)
    expert = expert_from(agent, card, True, space_of(own), space_of(ARM))
    with pytest.raises(ExpertError, match=r"set env\.max_episode_steps=1000"):
        expert.limited(None)
    obs, t = np.random.default_rng(0).uniform(-1, 1, (3, 4)), np.array([0, 5, 9])
    acts = expert.limited(10).act(Observation(obs, t), np.random.default_rng(0))
    seen = np.concatenate([obs, [[1.0], [0.5], [0.1]]], axis=1).astype(np.float32)
    np.testing.assert_array_equal(acts.actions, expert.network.act(seen, None))
    saved = load_agent(expert.save(tmp_path / "own")[0].with_suffix(""))
    assert saved.spec == agent.spec


GRID = "!!python/object/apply:collections.OrderedDict\n- - - env_wrapper\n    - {}\n"


@pytest.mark.parametrize("letters, package", [(28, "minigrid"), (27, "gym_minigrid")])
def test_an_agent_of_minigrid_names_the_wrapper_that_it_needs(
    letters: int, package: str, tmp_path: Path
) -> None:
    flat = spaces.Box(0, 255, (147 + 96 * letters,), np.uint8)
    model = make("PPO", "MlpPolicy", flat, spaces.Discrete(7), {}, {})
    shake(model)
    model.save(tmp_path / "own.zip")
    (tmp_path / "config.yml").write_text(GRID.format(f"{package}.wrappers.FlatObsWrapper"))
    files = AgentFiles(tmp_path / "own.zip", None, tmp_path / "config.yml")
    rows = spaces.Box(-9, 9, (247,), np.float32)
    words = r"trained behind FlatObsWrapper: add env\.wrappers=\[flat_obs\]"
    with pytest.raises(ExpertError, match=words):
        agent_from(files, space_of(rows), space_of(spaces.Discrete(7)))
    if letters == 27:
        later = space_of(spaces.Box(0, 255, (147 + 96 * 28,), np.uint8))
        with pytest.raises(ExpertError, match=r"env\.wrappers=\[\{flat_obs: 27\}\]"):
            agent_from(files, later, space_of(spaces.Discrete(7)))
    agent = agent_from(files, space_of(flat), space_of(spaces.Discrete(7)))
    assert "trained_behind" not in agent.facts
    expected, _ = model.predict(some(flat), deterministic=True)
    ours = network(files, flat, spaces.Discrete(7)).act(some(flat), None)
    np.testing.assert_array_equal(ours, expected)


def test_an_environment_that_has_the_wrapper_itself_is_left_alone(tmp_path: Path) -> None:
    agent = agent_from(an_old_one(tmp_path, config=WRAPPED), space_of(FLAT), space_of(ARM))
    assert not agent.spec.time_feature and "TimeFeature" in agent.facts["trained_behind"]


def test_what_the_environment_must_have_is_a_note(tmp_path: Path) -> None:
    an_old_one(tmp_path, config=WRAPPED, env_kwargs="hardcore: true\n", args="env: Own-v0\n")
    source = FromPath(path=str(tmp_path), algo="ppo", deterministic=True)
    notes = source.load("Own-v1", space_of(FLAT), space_of(ARM)).card.notes
    assert [note.split(":")[0].split("{")[0].strip() for note in notes] == [
        "The expert was trained in Own-v0 and is used in Own-v1.",
        "The expert was trained with wrappers TimeFeatureWrapper, FrameSkip, a stack of 4 frames",
        "The expert was trained with env.kwargs",
    ]
    for name in ("config", "env_kwargs", "args"):
        (tmp_path / f"{name}.yml").write_text("{}\n")
    assert source.load("Own-v0", space_of(FLAT), space_of(ARM)).card.notes == ()


@pytest.mark.parametrize(
    ("trained", "played", "word"),
    [
        (ARM, spaces.Box(-2, 2, (2,), np.float32), "low"),
        (MULTI, spaces.MultiDiscrete([2, 3, 4]), "nvec"),
        (FOUR, spaces.Discrete(5), "gives 4 numbers"),
    ],
)
def test_actions_that_mean_something_else(
    trained: Any, played: Any, word: str, tmp_path: Path
) -> None:
    """The sizes may fit and the actions not: of that the archive's own text speaks."""
    files = an_old_one(tmp_path, actions=trained)
    agent_from(files, space_of(FLAT), space_of(trained))
    with pytest.raises(ExpertError, match=word):
        agent_from(files, space_of(FLAT), space_of(played))
