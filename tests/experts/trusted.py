"""The trusted way: stable-baselines3 itself loads the archive, and its `predict` is the truth."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import gymnasium as gym

from dagger_cli.core.types import Array, Space


def space_of(space: Any) -> Space:
    if isinstance(space, gym.spaces.Box):
        low, high = (tuple(map(float, x.ravel())) for x in (space.low, space.high))
        return Space("box", space.shape, str(space.dtype), low, high)
    if isinstance(space, gym.spaces.Discrete):
        return Space("discrete", (), "int64", sizes=(int(space.n),), start=int(space.start))
    if isinstance(space, gym.spaces.MultiDiscrete):
        return Space("multi_discrete", space.shape, "int64", sizes=tuple(map(int, space.nvec)))
    return Space("multi_binary", space.shape, "int8", sizes=(2,) * int(space.n))


def load_trusted(algorithm: Any, path: Path, observation_space: Any, action_space: Any) -> Any:
    """Whatever the archive pickled and we do not need is replaced, as it names `gym`."""
    data = json.loads(zipfile.ZipFile(path).read("data"))
    replaced = {
        key: None
        for key, value in data.items()
        if isinstance(value, dict)
        and ":serialized:" in value
        and key not in ("policy_class", "policy_kwargs")
    }
    schedule = {
        key: (lambda _: 0.0)
        for key in replaced
        if "schedule" in key or key in ("learning_rate", "clip_range")
    }
    spaces = {"observation_space": observation_space, "action_space": action_space}
    if "target_entropy" in replaced:
        schedule["target_entropy"] = -1.0  # type: ignore[assignment]
    if "train_freq" in replaced:
        schedule["train_freq"] = 1  # type: ignore[assignment]
    return algorithm.load(path, custom_objects={**replaced, **schedule, **spaces}, device="cpu")


def normalize(path: Path | None, obs: Array) -> Array:
    """As VecNormalize does it, unpickled with stand-ins for the modules that are gone."""
    if path is None:
        return obs

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if module.startswith("gym."):
                return type(name, (), {})
            return super().find_class(module, name)

    wrapper = Unpickler(io.BytesIO(path.read_bytes())).load()
    wrapper.training = False
    result: Array = wrapper.normalize_obs(obs)
    return result
