"""Export of a trained policy to a stable-baselines3 archive, for `load` and rl_zoo3's enjoy.

Policies with Box actions become TD3 (its actor also ends in tanh scaled to the bounds), all others
PPO, whose deterministic action is the most likely one. Observation statistics are folded into the
first layer, as (x - mean) / std is linear. The clipping to +-10 standard deviations is not linear
and is lost: beyond it the exported policy acts differently.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Array, Space
from dagger_cli.networks.activations import ACTIVATIONS
from dagger_cli.networks.agent_files import Agent
from dagger_cli.networks.spec import Spec, describe, is_image
from dagger_cli.publish.critic import Critic, Recording, fit_critic


class Sb3Archive(NamedTuple):
    """Bytes of the zip file, and the algorithm whose `load` reads it.

    `explained` is the critic's share of the variance of the returns, None without a critic.
    """

    data: bytes
    algo: str
    explained: float | None = None


class _Dense(NamedTuple):
    """Linear layers from observation to output, (weight, bias) in float64, statistics folded."""

    layers: list[tuple[Array, Array]]
    activation: str


def to_sb3(agent: Agent, recording: Recording | None = None) -> Sb3Archive:
    """Converts an agent; raises ExpertError for networks and spaces that SB3 cannot represent.

    With `recording` PPO also gets a critic that is fitted to its returns.
    """
    spec = agent.spec
    _refuse(spec)
    dense = _dense(agent)
    td3 = spec.action_space.kind == "box"
    if td3 and recording is not None:
        raise ExpertError(
            "critic=true is for PPO, whose actions are choices; a student with Box actions becomes "
            "TD3, whose critic judges actions: leave it out"
        )
    critic = None if recording is None else fit_critic(recording, dense.activation)
    model = _td3(spec, dense) if td3 else _ppo(spec, dense, critic)
    kept = io.BytesIO()
    model.save(kept, exclude=["replay_buffer"])
    explained = None if critic is None else critic.explained
    return Sb3Archive(kept.getvalue(), "td3" if td3 else "ppo", explained)


def _refuse(spec: Spec) -> None:
    observations, actions = spec.observation_space, spec.action_space
    if any(layer.kind == "Conv2d" for layer in spec.layers):
        raise ExpertError("format=sb3 is for policy=mlp and linear, not cnn; use format=onnx")
    encoded = spec.layers[0].kind == "OneHot" and observations.start == 0
    if not encoded and (observations.kind != "box" or is_image(observations)):
        raise ExpertError(
            f"format=sb3 needs numeric Box observations, or Discrete ones from 0 that are one-hot, "
            f"but they are {describe(observations)}; use format=onnx"
        )
    if actions.kind == "box" and not actions.bounded.all():
        raise ExpertError("format=sb3 needs actions with finite bounds; use format=onnx")
    if actions.kind == "box" and actions.whole:
        raise ExpertError(
            f"format=sb3 cannot represent whole-number Box actions ({actions.dtype}), which TD3 "
            "does not round; use format=onnx"
        )
    if actions.start != 0:
        raise ExpertError(
            f"format=sb3 cannot represent actions that start at {actions.start}; use format=onnx"
        )


def _dense(agent: Agent) -> _Dense:
    weights, layers = agent.weights, []
    names = [layer.kind for layer in agent.spec.layers]
    for i, kind in enumerate(names):
        if kind == "Linear":
            pair = (weights[f"layers.{i}.weight"], weights[f"layers.{i}.bias"])
            layers.append((pair[0].astype(np.float64), pair[1].astype(np.float64)))
    if names[0] == "Standardise":
        mean, std = (weights[f"layers.0.{name}"].astype(np.float64) for name in ("mean", "std"))
        weight, bias = layers[0]
        layers[0] = (weight / std, bias - weight @ (mean / std))
    if agent.spec.action_space.kind == "multi_binary":  # two logits each; SB3 has their difference
        weight, bias = layers[-1]
        layers[-1] = (weight[1::2] - weight[::2], bias[1::2] - bias[::2])
    activations = [name for name in names if name in ACTIVATIONS]
    return _Dense(layers, activations[0] if activations else "Tanh")


def _td3(spec: Spec, dense: _Dense) -> Any:
    from stable_baselines3 import TD3

    sizes = [len(bias) for _, bias in dense.layers[:-1]]
    model = _made(TD3, spec, {"pi": sizes, "qf": [1]}, dense, buffer_size=1)
    modules = {
        f"{2 * i}.{name}": value
        for i, layer in enumerate(dense.layers)
        for name, value in zip(("weight", "bias"), layer, strict=True)
    }
    _fill(model.policy.actor.mu, modules)
    _fill(model.policy.actor_target.mu, modules)
    return model


def _ppo(spec: Spec, dense: _Dense, critic: Critic | None) -> Any:
    from stable_baselines3 import PPO

    sizes = [len(bias) for _, bias in dense.layers[:-1]]
    judged = [] if critic is None else [len(bias) for _, bias in critic.layers[:-1]]
    model = _made(PPO, spec, {"pi": sizes, "vf": judged}, dense, n_steps=2, batch_size=2)
    policy = model.policy
    _fill(policy.mlp_extractor.policy_net, _hidden(dense.layers))
    _fill(policy.action_net, dict(zip(("weight", "bias"), dense.layers[-1], strict=True)))
    if critic is not None:
        _fill(policy.mlp_extractor.value_net, _hidden(critic.layers))
        _fill(policy.value_net, dict(zip(("weight", "bias"), critic.layers[-1], strict=True)))
    return model


def _hidden(layers: Sequence[tuple[Array, Array]]) -> dict[str, Array]:
    """Returns all layers but the last by their names in a sequence with activations between."""
    return {
        f"{2 * i}.{name}": value
        for i, layer in enumerate(layers[:-1])
        for name, value in zip(("weight", "bias"), layer, strict=True)
    }


def _made(algorithm: Any, spec: Spec, net_arch: Any, dense: _Dense, **options: Any) -> Any:
    import gymnasium
    from torch import nn

    blank: Any = gymnasium.Env()  # only its spaces are used
    blank.observation_space = _space(spec.observation_space)
    blank.action_space = _space(spec.action_space)
    kwargs = {"net_arch": net_arch, "activation_fn": getattr(nn, dense.activation)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about bounds that are not symmetric
        return algorithm("MlpPolicy", blank, policy_kwargs=kwargs, device="cpu", **options)


def _fill(module: Any, arrays: Mapping[str, Array]) -> None:
    import torch

    tensors = {name: torch.tensor(array, dtype=torch.float32) for name, array in arrays.items()}
    module.load_state_dict(tensors)


def _space(space: Space) -> Any:
    from gymnasium import spaces

    if space.kind == "box":
        shape, dtype = space.shape, np.dtype(space.dtype)
        low = np.array(space.low or [-np.inf] * space.size).reshape(shape)
        high = np.array(space.high or [np.inf] * space.size).reshape(shape)
        return spaces.Box(low.astype(dtype), high.astype(dtype), shape, dtype.type)
    if space.kind == "discrete":
        return spaces.Discrete(space.sizes[0])
    if space.kind == "multi_discrete":
        return spaces.MultiDiscrete(np.array(space.sizes).reshape(space.shape))
    return spaces.MultiBinary(space.size)


def zoo_files(archive: Sb3Archive, env_id: str) -> dict[Path, bytes]:
    """Returns files in rl_zoo3's layout, for `python -m rl_zoo3.enjoy --algo ... -f <folder>`."""
    name = env_id.replace("/", "-")
    run = Path(archive.algo) / f"{name}_1"
    args = f"algo: {archive.algo}\nenv: {env_id}\nenv_kwargs: null\n"
    return {
        run / f"{name}.zip": archive.data,
        run / name / "config.yml": b"policy: MlpPolicy\n",
        run / name / "args.yml": args.encode(),
    }
