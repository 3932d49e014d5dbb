"""Every option of conf/env that is Gymnasium's builds a source that opens."""

from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from dagger_cli.config.components import built
from dagger_cli.envs.gym import GymSource

FOLDER = Path(__file__).parents[2] / "conf" / "env"
FILES = [p for p in sorted(FOLDER.glob("*.yaml")) if "gym.GymSource" in p.read_text()]
NOT_FOR_THE_SOURCE = [
    "defaults",
    "name",
    "version",
    "best",
    "wrappers",
    "failure_name",
    "hub_algo",
    "budget",
    "evaluation",
]
ENVPOOLS_OWN = ("halfcheetah", "hopper", "walker2d", "ant", "humanoid", "swimmer", "fetch_reach")


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_option(path):
    if path.stem in ENVPOOLS_OWN:
        pytest.importorskip("envpool", reason="EnvPool is not installed")
    config = OmegaConf.load(path)
    OmegaConf.resolve(config) if path.stem != "gym" else None
    assert path.read_text().startswith("#")
    if path.stem == "gym":
        config.id = config_name = "CartPole-v1"
    assert config.name == (config_name if path.stem == "gym" else path.stem)
    for key in NOT_FOR_THE_SOURCE:
        config.pop(key, None)
    config.workers = 0
    env_source = built(OmegaConf.to_container(config), "env")
    assert isinstance(env_source, GymSource)
    env = env_source.open(1)
    env.reset(np.array([0]), np.array([0]))
    assert env.observation.obs.any() or env.observation_space.kind != "box"
    env.close()


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_options_share_their_keys(path):
    keys, of_all = OmegaConf.load(path).keys(), OmegaConf.load(FOLDER / "bipedal.yaml").keys()
    assert keys - {"best", "version", "parts", "failure_name"} == of_all - {"failure_name"}
