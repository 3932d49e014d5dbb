"""`dagger export`: a student for stable-baselines3 and rl_zoo3, as ONNX or as TorchScript."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Space
from dagger_cli.experts.student import Student, student_agent
from dagger_cli.networks.agent_files import Agent
from dagger_cli.tracking.console import Console
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.files import write_bytes

ENDINGS = {"sb3": ".zip", "onnx": ".onnx", "torchscript": ".pt"}
Pairs = list[tuple[str, str]]


def check(format: str, path: Path) -> None:
    """Refuse what cannot be written, before anything is loaded."""
    if format not in ENDINGS:
        raise ConfigError(f"format must be {', '.join(ENDINGS)}; got '{format}'")
    ending = ENDINGS[format]
    if path.suffix != ending and not (format == "sb3" and path.suffix == ""):
        folder = ", or be a folder" if format == "sb3" else ""
        raise ConfigError(f"path must end in {ending} for format={format}{folder}; got '{path}'")


def export(checkpoint: Path, format: str, path: Path, source: Any) -> None:
    """Write the student of the checkpoint; `source` is the environment it was trained in."""
    spaces = source.observation_space, source.action_space
    agent = student_agent(Student(checkpoint), *spaces)
    told = {"sb3": _sb3, "onnx": _onnx, "torchscript": _torchscript}[format](agent, path, source)
    console = Console()
    console.start([("checkpoint", str(checkpoint)), ("written", str(path)), *told])


def _sb3(agent: Agent, path: Path, source: Any) -> Pairs:
    from dagger_cli.publish.sb3 import to_sb3, zoo_files

    # The environment's own bounds of observations: an archive without them would not fit it.
    spec = replace(agent.spec, observation_space=source.observation_space)
    archive = to_sb3(agent._replace(spec=spec))
    name = archive.algo.upper()
    if path.suffix == ".zip":
        _write(path, archive.data)
        return [("use it", f"stable_baselines3.{name}.load({str(path)!r})")]
    for place, data in zoo_files(archive, str(source.id)).items():
        _write(path / place, data)
    words = f"--algo {archive.algo} --env {source.id} -f {shlex.quote(str(path))}"
    return [("use it", f"python -m rl_zoo3.enjoy {words}")]


def _onnx(agent: Agent, path: Path, source: Any) -> Pairs:
    from dagger_cli.publish.graph import to_onnx

    return _graph(to_onnx, agent, path, "onnxruntime")


def _torchscript(agent: Agent, path: Path, source: Any) -> Pairs:
    from dagger_cli.publish.graph import to_torchscript

    return _graph(to_torchscript, agent, path, "torch.jit")


def _graph(
    convert: Callable[[Agent], tuple[bytes, float]], agent: Agent, path: Path, name: str
) -> Pairs:
    data, difference = convert(agent)
    _write(path, data)
    return [
        ("input", f"observations {_batch(agent.spec.observation_space)}"),
        ("outputs", f"actions {_batch(agent.spec.action_space)}, outputs of the last layer"),
        ("checked", f"{name} differs from the student by {difference:.1g} at most, of 1,000 rows"),
    ]


def _batch(space: Space) -> str:
    return f"({', '.join(['n', *map(str, space.shape)])}) {space.dtype}"


def _write(path: Path, data: bytes) -> None:
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, data)
