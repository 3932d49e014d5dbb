"""A student of ours as an agent: its network is rebuilt from checkpoint.json and safetensors.

Read as plain data: nothing that the checkpoint's config names is built or imported.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import CheckpointError, ExpertError
from dagger_cli.core.serialization import unpack
from dagger_cli.core.types import Acts, Array, Card, Observation, Policy, Space
from dagger_cli.networks.agent_files import MAX_WEIGHTS_BYTES, Agent, read_bounded
from dagger_cli.networks.network import Network
from dagger_cli.networks.spec import Head, Layer, Spec, describe

MANIFEST, POLICY, SUMMARY = "checkpoint.json", "policy.safetensors", "summary.json"
MAX_MANIFEST_BYTES = 4 * 2**20
ACTIVATIONS = {"relu": "ReLU", "tanh": "Tanh", "silu": "SiLU", "gelu": "GELU", "elu": "ELU"}
NETWORKS = ("dagger_cli.policies.sources.mlp_learner", "dagger_cli.policies.sources.cnn_learner")
_STRIDES = (4, 2, 1)  # of the three convolutions of policy=cnn


def can_teach(policy: Mapping[str, Any]) -> bool:
    """Whether students with this config of `policy` can be taken as experts, and exported."""
    return policy.get("_target_") in NETWORKS


class Student(NamedTuple):
    """The folder of one checkpoint: checkpoint.json and policy.safetensors."""

    folder: Path

    @property
    def archive(self) -> Path:
        """The file that its weights are in."""
        return self.folder / POLICY


def find_student(path: Path) -> Student | None:
    """The student in a run, a checkpoint's folder or a download; a run stands for its best."""
    named = path.name in ("best", "last") and (path.parent / "checkpoints").is_dir()
    places = [path, path / "checkpoints" / "best", path / "best"]
    if named:
        places.insert(0, path.parent / "checkpoints" / path.name)
    return next((Student(place) for place in places if (place / MANIFEST).is_file()), None)


@dataclass(frozen=True)
class NetworkPolicy:
    """One network that acts; as a student, it is not asked."""

    network: Network

    def act(self, observation: Observation, rng: Generator) -> Acts:
        return Acts(self.network.act(observation.obs, None), np.zeros(len(observation), bool))


@dataclass(frozen=True)
class StudentExpert:
    """A student made of several policies, whose answers are the labels now."""

    policy: Policy
    card: Card

    def act(self, observation: Observation, rng: Generator) -> Acts:
        return Acts(self.policy.act(observation, rng).actions, np.ones(len(observation), bool))


def read_student(
    student: Student, observation_space: Space, action_space: Space
) -> tuple[Policy, dict[str, Any]]:
    """The student and the facts about it; the spaces are the environment's.

    Raises ExpertError where a file is missing or altered, or a policy in it is not a network.
    """
    manifest = _manifest(student.folder / MANIFEST)
    try:
        facts = _facts(student, manifest)
        arrays = _arrays(student.archive, str(manifest["files"][POLICY]))
        reader = _Reader(manifest["config"]["policy"], observation_space, action_space, facts)
        policy = unpack(arrays, reader, action_space)
    except CheckpointError as err:
        raise ExpertError(f"'{student.archive}' cannot be used: {err}") from err
    except (KeyError, TypeError, AttributeError) as err:
        raise ExpertError(
            f"'{student.folder / MANIFEST}' lacks what it must have: {str(err)[:80]}"
        ) from err
    return policy, facts


def student_agent(student: Student, observation_space: Space, action_space: Space) -> Agent:
    """A student that is a single network, with its weights; ExpertError where it is not."""
    policy, facts = read_student(student, observation_space, action_space)
    if not isinstance(policy, NetworkPolicy):
        raise ExpertError(
            f"'{student.folder}' holds a {type(policy).__name__.lower()} of several policies, not "
            "one network; take a run of trainer=dagger or sup"
        )
    return Agent(policy.network.spec, policy.network.weights, facts)


@dataclass(frozen=True)
class _Reader:
    """Stands in for the learner: turns the arrays of one network into something that acts."""

    config: Mapping[str, Any]
    observation_space: Space
    action_space: Space
    facts: Mapping[str, Any]

    def unpack(self, arrays: Mapping[str, Array]) -> Policy:
        layers, weights = _layers(self.config, arrays)
        spec = _spec(layers, self.observation_space, self.action_space)
        _sizes_fit(self.facts, weights, spec)
        return NetworkPolicy(Network(spec, weights))


def _manifest(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_bounded(path, MAX_MANIFEST_BYTES))
    except (ValueError, RecursionError) as err:
        raise ExpertError(f"'{path}' is truncated or altered: it is not JSON") from err
    if not isinstance(content, dict) or content.get("format_version") != 1:
        raise ExpertError(f"'{path}' is not a checkpoint that this version of dagger-cli reads")
    return content


def _arrays(path: Path, sha256: str) -> dict[str, Array]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    data = read_bounded(path, MAX_WEIGHTS_BYTES)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ExpertError(f"'{path}' is truncated or altered: its sha256 is not the recorded one")
    try:
        arrays: dict[str, Array] = load(data)
    except (SafetensorError, KeyError, ValueError) as err:
        raise ExpertError(f"'{path}' does not hold arrays ({err})") from err
    return arrays


def _layers(
    policy: Mapping[str, Any], arrays: Mapping[str, Array]
) -> tuple[tuple[Layer, ...], dict[str, Array]]:
    """The layers of an `nn.Sequential` from the numbers of its arrays, and these by our names."""
    target, names = policy["_target_"], [n for n in arrays if not n.startswith("optimiser.")]
    places = [re.fullmatch(r"network\.(\d{1,3})\.(\w+)", name) for name in names]
    if not can_teach(policy) or not all(places):
        raise ExpertError(
            f"its policy ({policy.get('name', target)}) is not a network of policy=mlp, linear or "
            "cnn, so it cannot be taken as an expert or exported"
        )
    blocks: dict[int, dict[str, Array]] = {}
    for place in filter(None, places):
        blocks.setdefault(int(place[1]), {})[place[2]] = arrays[place[0]]
    activation = ACTIVATIONS[policy["activation"]] if target == NETWORKS[0] else "ReLU"
    layers: list[Layer] = []
    weights: dict[str, Array] = {}
    last, before = max(blocks), ""
    for i, block in sorted(blocks.items()):
        layer = _layer(block, n_before=len(layers))
        if (before, layer.kind) == ("Conv2d", "Linear"):
            layers.append(Layer("Flatten"))
        before = layer.kind
        weights |= {f"layers.{len(layers)}.{name}": value for name, value in block.items()}
        layers.append(layer)
        if layer.kind != "Standardise" and i != last:
            layers.append(Layer(activation))
    return tuple(layers), weights


def _layer(block: Mapping[str, Array], n_before: int) -> Layer:
    if "weight" not in block:
        return Layer("Standardise")
    if block["weight"].ndim == 4:
        return Layer("Conv2d", stride=_STRIDES[n_before // 2])
    return Layer("Linear")


def _spec(layers: tuple[Layer, ...], observation_space: Space, action_space: Space) -> Spec:
    images = layers[0].kind == "Conv2d"
    shape = observation_space.shape
    return Spec(
        observation_space=replace(observation_space, low=(), high=()),
        action_space=action_space,
        layers=layers,
        head=Head("scaled" if action_space.kind == "box" else "categorical"),
        scale=255.0 if images else 1.0,
        channels_last=images and len(shape) == 3 and shape[2] < shape[0],
        double=not images,
    )


def _sizes_fit(facts: Mapping[str, Any], weights: Mapping[str, Array], spec: Spec) -> None:
    mean = weights.get("layers.0.mean")
    seen, action = spec.observation_space, spec.action_space
    outputs = weights[f"layers.{len(spec.layers) - 1}.bias"].shape[0]
    wanted = action.size if action.kind == "box" else sum(action.sizes)
    if (mean is not None and mean.size != seen.size) or outputs != wanted:
        raise ExpertError(
            f"the student was trained on {facts.get('trained_in')}, but the environment has "
            f"observations {describe(seen)} and actions {describe(action)}; choose its own env"
        )


def _facts(student: Student, manifest: Mapping[str, Any]) -> dict[str, Any]:
    config = manifest["config"]
    facts = {
        "sha256": manifest["files"][POLICY],
        "trained_in": config["env"]["id"],
        "trainer": config["trainer"]["name"],
        "round": manifest["round"],
        "labels": manifest["spent"]["labels"],
        "env_steps": manifest["spent"]["env_steps"],
        "taught_by": manifest["expert"]["name"],
        "dagger_version": manifest["dagger_version"],
    }
    score = student_score(student)
    return facts if score is None else facts | {"score": score}


def student_score(student: Student) -> dict[str, Any] | None:
    """What the run's final table says of this very student; None where there is none."""
    for folder in (student.folder, *student.folder.resolve().parents[:2]):
        try:
            summary = json.loads(read_bounded(folder / SUMMARY, MAX_MANIFEST_BYTES))
            score = summary["student"]
            told = json.loads(read_bounded(student.folder / MANIFEST, MAX_MANIFEST_BYTES))
            if told["round"] == played_round(summary):
                return {key: score[key] for key in ("mean", "std", "min", "max", "episodes")}
        except (ExpertError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
    return None


def played_round(summary: Any) -> Any:
    """Which round's student the final table of a run is about; older runs meant the best one."""
    return summary.get("student_round", summary["best"]["round"])
