"""Conversion of a stable-baselines3 archive to an agent in our own format."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Array, Space, SpaceKind
from dagger_cli.experts.sb3.archive import Archive, read_archive
from dagger_cli.experts.sb3.policy_families import Actor, actor_of
from dagger_cli.experts.sb3.sequential import Piece, step
from dagger_cli.experts.sb3.vecnormalize import MAX_PICKLE_BYTES, Statistics, read_statistics
from dagger_cli.experts.sb3.zoo_settings import FLAT_OBS, TIME_FEATURE, Settings
from dagger_cli.networks.agent_files import Agent, read_bounded
from dagger_cli.networks.spec import Spec, describe, features, is_image, under

_KINDS: dict[str, SpaceKind] = {
    "Box": "box",
    "Discrete": "discrete",
    "MultiDiscrete": "multi_discrete",
    "MultiBinary": "multi_binary",
    "Dict": "box",  # as envs/dict_rows.py flattens it, in the order of stable-baselines3
}
ANT, ANT_WITH_FORCES = 27, 111  # numbers in an observation of MuJoCo's Ant
# Numbers behind MiniGrid's FlatObsWrapper, and behind that of gym_minigrid, which had no comma.
GRID, GRID_BEFORE = 147 + 96 * 28, 147 + 96 * 27
NEW = {105: ANT_WITH_FORCES, 348: 376}  # of Ant-v5 and Humanoid-v5, and of their older versions
_NUMBER = re.compile(r"[-+]?(?:inf|\d+\.?\d*(?:e[-+]?\d+)?)")


class AgentFiles(NamedTuple):
    """The files of an rl-baselines3-zoo agent; only the archive always exists."""

    archive: Path
    statistics: Path | None = None
    config: Path | None = None
    args: Path | None = None
    env_kwargs: Path | None = None
    unused: tuple[Path, ...] = ()  # what looks like statistics, but maybe of another agent


class _OtherSpaces(ExpertError):
    """Error for an agent that was trained with other observation or action spaces."""


def agent_from(files: AgentFiles, observation_space: Space, action_space: Space) -> Agent:
    """Reads all files and builds the agent; raises ExpertError where that is impossible."""
    archive = read_archive(files.archive)
    try:
        settings = Settings.read(files.config, files.args, files.env_kwargs)
        statistics = _statistics(files, settings)
        spec, weights = _network(archive, settings, statistics, observation_space, action_space)
    except ExpertError as err:
        hint = ""
        if isinstance(err, _OtherSpaces) and settings.wrappers:
            hint = f" (it was trained behind {settings.behind()}: {settings.hint()})"
        raise ExpertError(f"cannot use '{files.archive}': {err}{hint}") from err
    # An agent that was trained behind FlatObsWrapper fits no observations but those behind it.
    behind = settings.behind(FLAT_OBS, *([TIME_FEATURE] if spec.time_feature else []))
    return Agent(spec, weights, _facts(archive, settings, behind, files.unused))


def _facts(
    archive: Archive, settings: Settings, behind: str, unused: tuple[Path, ...]
) -> dict[str, Any]:
    facts: dict[str, Any] = {"sha256": archive.sha256}
    named = {
        "policy": archive.text("policy_class", "__module__"),
        "sb3_version": archive.version,
        "steps": archive.data.get("num_timesteps"),
        "trained_in": settings.trained_in,
        "trained_behind": behind or None,
        "trained_with": settings.env_kwargs or None,
        "unused_statistics": ", ".join(path.name for path in unused) or None,
    }
    return facts | {key: value for key, value in named.items() if isinstance(value, (str, int))}


def _statistics(files: AgentFiles, settings: Settings) -> Statistics | None:
    """Reads the statistics; raises ExpertError if they are missing, as the agent needs them."""
    if files.statistics is not None:
        return read_statistics(read_bounded(files.statistics, MAX_PICKLE_BYTES))
    if settings.normalised:
        raise ExpertError(
            "it was trained on normalised observations, but their statistics (vecnormalize.pkl or "
            "vec_normalize.pkl) are missing; put that file beside it"
        )
    return None


def _seen(first: Array, settings: Settings, space: Space) -> Space:
    """Returns the space of the network's input: that of the environment, or with the time left."""
    timed = settings.time_feature and space.kind == "box" and len(space.shape) == 1
    # Otherwise the environment itself was registered with the wrapper.
    if not timed or first.shape[-1] != space.size + 1:
        return space
    return replace(space, shape=(space.size + 1,), dtype="float32")


def _network(
    archive: Archive,
    settings: Settings,
    statistics: Statistics | None,
    env_space: Space,
    action_space: Space,
) -> tuple[Spec, dict[str, Array]]:
    _same_kind(archive, "observation_space", env_space)
    _same_kind(archive, "action_space", action_space)
    _same_actions(archive, action_space)
    if action_space.start != 0:
        raise ExpertError(
            f"stable-baselines3 counts actions from 0, but those of the environment start at "
            f"{action_space.start}: shift them in a gymnasium.ActionWrapper, register it and give "
            "that id"
        )
    actor = actor_of(archive, action_space)
    piece = actor.piece
    memory = under(archive.tensors, "lstm_actor.") if archive.recurrent else {}
    first = memory["weight_ih_l0"] if memory else _first_weight(piece)
    observation_space = _seen(first, settings, env_space)
    channels_last = _channels_last(piece, archive, observation_space)
    if not memory and piece.layers[0][0].kind != "Conv2d" and len(observation_space.shape) > 1:
        piece = step("Flatten") + piece
    _inputs_fit(first, observation_space, channels_last)
    _outputs_fit(piece, actor, action_space)
    image = is_image(observation_space) and statistics is None
    scaled = image and archive.text("policy_kwargs", "normalize_images") != "False"
    weights = {
        f"layers.{i}.{name}": value
        for i, (_, arrays) in enumerate(piece.layers)
        for name, value in arrays.items()
    }
    spec = Spec(
        observation_space=replace(observation_space, low=(), high=()),
        action_space=action_space,
        layers=tuple(layer for layer, _ in piece.layers),
        head=actor.head,
        scale=255.0 if scaled else 1.0,
        channels_last=channels_last,
        time_feature=observation_space is not env_space,
        lstm=bool(memory),
    )
    if statistics is not None:
        spec = _normalised(spec, statistics)
        weights |= {"mean": statistics.mean, "variance": statistics.variance}
    kept = {f"lstm.{name}": value for name, value in memory.items()}
    return spec, {**kept, **weights, **actor.noise}


def _normalised(spec: Spec, statistics: Statistics) -> Spec:
    shape = spec.observation_space.shape
    seen = (shape[-1], *shape[:-1]) if spec.channels_last else shape
    if spec.observation_space.kind != "box" or statistics.mean.shape != seen:
        raise _OtherSpaces(
            f"its observation statistics have the shape {statistics.mean.shape}, "
            f"but the environment has {describe(spec.observation_space)}"
        )
    return replace(spec, clip=statistics.clip, epsilon=statistics.epsilon)


def _same_kind(archive: Archive, key: str, space: Space) -> None:
    """Compares with the kind of space that the archive's text declares, if it does."""
    declared = archive.text(key, ":type:") or ""
    name = re.search(r"\.(\w+)'>$", declared)
    if name is None:
        return
    kind = _KINDS.get(name[1])
    if kind is None:
        raise _OtherSpaces(f"its {key} is a '{name[1]}', which is not supported")
    if kind != space.kind:
        raise _OtherSpaces(
            f"it was trained with a {kind} {key}, but the environment has {describe(space)}; "
            "choose an expert of this environment"
        )


def _same_actions(archive: Archive, space: Space) -> None:
    """Compares bounds and numbers of choices, where the archive's text has all of them."""
    for key, ours in (("low", space.low), ("high", space.high), ("nvec", space.sizes)):
        theirs = [float(n) for n in _NUMBER.findall(archive.text("action_space", key) or "")]
        if theirs and len(theirs) == len(ours) and not np.allclose(theirs, ours, rtol=1e-4):
            raise _OtherSpaces(
                f"its actions had the {key} {theirs[:8]}, those of the environment have "
                f"{list(ours)[:8]}; choose an expert of this environment, or check env.kwargs"
            )


def _channels_last(piece: Piece, archive: Archive, space: Space) -> bool:
    """Returns whether the agent was trained on images with the channel axis moved to the front."""
    if not is_image(space):
        return False
    moved = [space.shape[-1], *space.shape[:-1]]
    if piece.layers[0][0].kind == "Conv2d":
        channels = _first_weight(piece).shape[1]
        return bool(channels == space.shape[-1] and channels != space.shape[0])
    declared: Mapping[str, Any] = archive.data.get("observation_space") or {}
    return moved in (declared.get("_shape"), declared.get("shape")) and moved != list(space.shape)


def _other_size(wanted: int, seen: int) -> str:
    """Returns what may have made an observation of `seen` numbers one of `wanted`."""
    if wanted > seen and wanted % seen == 0:
        frames = wanted // seen
        return (
            f"this looks like a stack of {frames} frames: register the environment with "
            f"gymnasium.wrappers.FrameStackObservation(env, {frames}, padding_type='zero'), "
            "flattened, and give that id"
        )
    if seen == ANT and wanted in (ANT_WITH_FORCES, ANT_WITH_FORCES + 1):
        return (
            f"Ant-v3 has {ANT_WITH_FORCES} numbers (env.id=Ant-v3), and so has Ant-v4 with "
            "+env.kwargs.use_contact_forces=true"
        )
    if seen in NEW and wanted in (NEW[seen], NEW[seen] + 1):
        return "version 3 of the environment has these numbers: set env.version=3"
    if (wanted, seen) == (GRID_BEFORE, GRID):
        return "it is an agent of gym_minigrid: set env.wrappers=[{flat_obs: 27}]"
    if wanted == seen + 1:
        return (
            "one more may be the time left in the episode: put the config.yml beside it that names "
            "the TimeFeatureWrapper"
        )
    return "choose an expert of this environment"


def _first_weight(piece: Piece) -> Array:
    return next(arrays["weight"] for _, arrays in piece.layers if "weight" in arrays)


def _inputs_fit(first: Array, obs: Space, channels_last: bool) -> None:
    seen = obs.shape[-1 if channels_last else 0] if first.ndim == 4 else features(obs)
    wanted = first.shape[-1] if first.ndim == 1 else first.shape[1]
    if wanted != seen:
        what = "image channels" if first.ndim == 4 else "numbers"
        raise _OtherSpaces(
            f"it was trained on observations of {wanted} {what}, but the environment has "
            f"{describe(obs)}; {_other_size(wanted, seen)}"
        )


def _outputs_fit(piece: Piece, actor: Actor, action: Space) -> None:
    outputs = piece.layers[-1][1]["weight"].shape[0]
    needed = sum(action.sizes) if actor.head.kind in ("categorical", "greedy") else action.size
    quantiles = actor.head.kind == "greedy" and needed and outputs % needed == 0
    if outputs != needed and not quantiles:
        raise _OtherSpaces(
            f"it gives {outputs} numbers, but the actions of the environment, {describe(action)}, "
            f"need {needed}; choose an expert of this environment"
        )
