"""A student as ONNX or TorchScript: one file with the observation statistics inside."""

from __future__ import annotations

import io
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.core.errors import ConfigError, ExpertError
from dagger_cli.core.types import Array, Space
from dagger_cli.networks.agent_files import Agent
from dagger_cli.networks.network import Network

CLOSE = 1e-5  # relative to the largest output: what an exported network may differ by
N_CHECKED = 1000  # observations
BATCH = 3  # of the example that the network is traced with


def to_onnx(agent: Agent) -> tuple[bytes, float]:
    """The file, and the largest difference of what onnxruntime makes of it from the student.

    Raises ConfigError where the export extra is not installed, ExpertError where they differ.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as err:
        raise ConfigError(
            f"format=onnx needs {err.name}: pip install 'dagger-cli[export]'"
        ) from err
    import torch

    module, example = _module(agent)
    with _silence(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "student.onnx"
        torch.onnx.export(
            module,
            (example,),
            path,
            input_names=["observations"],
            output_names=["actions", "outputs"],
            dynamic_shapes=({0: torch.export.Dim("n", min=1)},),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        data = path.read_bytes()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def run(obs: Array) -> tuple[Array, Array]:
        actions, outputs = session.run(["actions", "outputs"], {"observations": obs})
        return actions, outputs

    return data, _checked(agent, run, "onnxruntime")


def to_torchscript(agent: Agent) -> tuple[bytes, float]:
    """The file, and the largest difference of what it gives from the student."""
    import torch

    module, example = _module(agent)
    kept = io.BytesIO()
    with _silence():
        jit: Any = torch.jit
        jit.save(jit.freeze(jit.trace(module, (example,)).eval()), kept)
        loaded = jit.load(io.BytesIO(kept.getvalue()))

    def run(obs: Array) -> tuple[Array, Array]:
        with torch.inference_mode():
            actions, outputs = loaded(torch.from_numpy(obs))
        return actions.numpy(), outputs.numpy()

    return kept.getvalue(), _checked(agent, run, "TorchScript")


def _module(agent: Agent) -> tuple[Any, Any]:
    import torch

    from dagger_cli.networks.export_module import StudentModule

    return StudentModule(agent).eval(), torch.from_numpy(observations(agent, BATCH))


def observations(agent: Agent, n: int) -> Array:
    """Random observations as the student knows them: around its mean, or of its space."""
    space, rng = agent.spec.observation_space, np.random.default_rng(0)
    if np.dtype(space.dtype).kind in "iub":
        top = np.array(space.sizes) if space.sizes else 256
        return rng.integers(0, top, size=(n, *space.shape)).astype(space.dtype)
    mean, std = (agent.weights.get(f"layers.0.{name}") for name in ("mean", "std"))
    noise = rng.standard_normal((n, space.size))
    rows = noise if mean is None or std is None else mean + 2 * std * noise
    return rows.reshape(n, *space.shape).astype(space.dtype)


def _checked(agent: Agent, run: Callable[[Array], tuple[Array, Array]], name: str) -> float:
    """The largest difference from the student itself; ExpertError where it is not small."""
    obs, network = observations(agent, N_CHECKED), Network(agent.spec, agent.weights)
    actions, outputs = network.act(obs, None), network.outputs(obs)
    their_actions, their_outputs = run(obs)
    scale = max(1.0, float(np.abs(outputs).max()))
    difference = float(np.abs(outputs - their_outputs).max()) / scale
    if agent.spec.action_space.kind == "box":
        apart = np.abs(actions - their_actions).max() / _range(agent.spec.action_space)
        difference = max(difference, float(apart))
    if difference > CLOSE or their_actions.shape != actions.shape:
        raise ExpertError(f"{name} gives other actions, by {difference:.1g}; nothing was written")
    return difference


def _range(space: Space) -> float:
    width = np.array(space.high) - np.array(space.low)
    return max(1.0, float(width[np.isfinite(width)].max(initial=1.0)))


@contextmanager
def _silence() -> Iterator[None]:
    """Nothing that torch's exporters say of themselves."""
    import logging

    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
