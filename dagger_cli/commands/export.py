"""`dagger export`: writes a policy for stable-baselines3 and rl_zoo3, as ONNX or TorchScript."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from dagger_cli.config.components import EnvChoice
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.policies import Ensemble, Mixture, NonStationaryPolicy
from dagger_cli.core.types import Policy, Space
from dagger_cli.networks.agent_files import Agent
from dagger_cli.publish.critic import Recording
from dagger_cli.tracking.console import Console
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.files import write_bytes
from dagger_cli.views.words import in_words

ENDINGS = {"sb3": ".zip", "onnx": ".onnx", "torchscript": ".pt"}
NEXT = ", next_states for the next step"
Pairs = list[tuple[str, str]]


def check(format: str, path: Path) -> None:
    """Raises ConfigError for an unknown format or a wrong suffix, before anything is loaded."""
    if format not in ENDINGS:
        raise ConfigError(f"format must be {', '.join(ENDINGS)}; got '{format}'")
    ending = ENDINGS[format]
    if path.suffix != ending and not (format == "sb3" and path.suffix == ""):
        folder = ", or be a folder" if format == "sb3" else ""
        raise ConfigError(f"path must end in {ending} for format={format}{folder}; got '{path}'")


def export(
    checkpoint: Path,
    format: str,
    path: Path,
    policy: Policy,
    env: EnvChoice,
    recording: Recording | None = None,
) -> None:
    """Writes the policy of the checkpoint; `env` is the environment it was trained in.

    With `recording` an archive of PPO has a critic. Raises ConfigError where the format cannot
    represent the policy.
    """
    kind = type(policy).__name__
    if isinstance(policy, (Mixture, NonStationaryPolicy, Ensemble)):
        raise ConfigError(
            f"format={format} stores one network, but '{checkpoint}' has a {kind.lower()} of "
            "several policies; export a run of trainer=dagger or sup"
        )
    if env.source is env.full:
        if format == "sb3":
            told = _sb3(policy, path, env.source, recording)
        else:
            told = _graph(policy, format, path, env.source)
    else:
        told = _with_view(policy, format, path, env)
    console = Console()
    console.start([("checkpoint", str(checkpoint)), ("written", str(path)), *told])


def _with_view(policy: Policy, format: str, path: Path, env: EnvChoice) -> Pairs:
    """Writes a student that sees less than its environment shows.

    A selection of components becomes part of the graph. What a graph cannot remember, such as the
    last observations, is described in a JSON file beside it.
    """
    if format == "sb3":
        raise ConfigError(
            "format=sb3 stores a policy for single observations of the environment, but this "
            "student has a view, a memory or chunks: use format=onnx or torchscript"
        )
    view = env.source.view
    if view.selects_only:
        in_full = view.in_full(env.full.observation_space, env.full.action_space)
        words = f"selects components {env.source.layout.index.tolist()} by itself"
        return [*_graph(in_full(policy), format, path, env.full), ("view", words)]
    told = _graph(policy, format, path, env.source)
    keys = {**asdict(view), "input_shape": list(env.source.observation_space.shape)}
    words, beside = in_words(keys) or "all that the environment shows", _beside(path)
    if states := _states(policy):
        words += f"; {states}, then the next_states of the step before"
    _write(beside, f"{json.dumps({**keys, 'input': words}, indent=1)}\n".encode())
    return [*told, ("view", f"the input is {words}"), ("keys", str(beside))]


def _states(policy: Any) -> str:
    """Returns the second input of a policy that carries a state; empty for any other."""
    units = getattr(getattr(policy, "network", None), "units", None)
    return f"states (n, {units}) float32, zeros at the start of an episode" if units else ""


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.view.json")


def _sb3(policy: Policy, path: Path, source: Any, recording: Recording | None) -> Pairs:
    from dagger_cli.networks.spec_modules import spec_of
    from dagger_cli.publish.sb3 import to_sb3, zoo_files

    network = getattr(policy, "network", None)
    found = spec_of(network, source.observation_space, source.action_space)
    if found is None:
        raise ConfigError(
            "format=sb3 supports networks of policy=mlp and linear, but this one has other layers; "
            "use format=onnx or torchscript"
        )
    # An archive without the environment's observation bounds would not fit the environment.
    spec = replace(found[0], observation_space=source.observation_space)
    archive = to_sb3(Agent(spec, found[1], {}), recording)
    name, told = archive.algo.upper(), []
    if archive.explained is not None:
        told.append(("critic", f"explains {archive.explained:.0%} of the variance of the returns"))
    if path.suffix == ".zip":
        _write(path, archive.data)
        return [*told, ("use it", f"stable_baselines3.{name}.load({str(path)!r})")]
    for place, data in zoo_files(archive, str(source.id)).items():
        _write(path / place, data)
    words = f"--algo {archive.algo} --env {source.id} -f {shlex.quote(str(path))}"
    return [*told, ("use it", f"python -m rl_zoo3.enjoy {words}")]


def _graph(policy: Policy, format: str, path: Path, source: Any) -> Pairs:
    from dagger_cli.publish.graph import Exportable, to_onnx, to_torchscript

    if not isinstance(policy, Exportable):
        raise ConfigError(
            f"format={format} stores one network, but a {type(policy).__name__} has no method "
            "as_module() that returns one"
        )
    seen, played = source.observation_space, source.action_space
    states = _states(policy)
    convert = to_onnx if format == "onnx" else to_torchscript
    data, difference = convert(policy, seen, played)
    _write(path, data)
    program = "onnxruntime" if format == "onnx" else "torch.jit"
    return [
        ("input", f"observations {_batch(seen)}" + (states and f", {states}")),
        ("outputs", f"actions {_batch(played)}, outputs of the last layer" + (states and NEXT)),
        (
            "checked",
            f"{program} differs from the policy by at most {difference:.1g} on 1,000 observations",
        ),
    ]


def _batch(space: Space) -> str:
    return f"({', '.join(['n', *map(str, space.shape)])}) {space.dtype}"


def _write(path: Path, data: bytes) -> None:
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, data)
