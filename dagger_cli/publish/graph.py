"""A policy as ONNX or TorchScript: one file with the observation statistics inside."""

from __future__ import annotations

import io
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from dagger_cli.core.errors import ConfigError, ExpertError
from dagger_cli.core.types import Array, Observation, Policy, Space

if TYPE_CHECKING:
    from torch import nn

CLOSE = 1e-5  # relative to the largest output: what an exported network may differ by
N_CHECKED = 1000  # observations
BATCH = 3  # of the example that the network is traced with


@runtime_checkable
class Exportable(Policy, Protocol):
    """A policy that can be one torch module."""

    def outputs(self, obs: Array) -> Array:
        """(n, k) from which the actions of (n, *obs_shape) observations follow."""
        ...

    def as_module(self) -> nn.Module:
        """From observations to `actions` and `outputs`, in float32."""
        ...


def to_onnx(policy: Exportable, seen: Space, played: Space) -> tuple[bytes, float]:
    """The file, and the largest difference of what onnxruntime makes of it from the policy.

    `seen` and `played` are the spaces of observations and actions. Raises ConfigError where the
    export extra is not installed, ExpertError where the module is not one that can be exported.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as err:
        raise ConfigError(
            f"format=onnx needs {err.name}: pip install 'dagger-cli[export]'"
        ) from err
    import torch

    module = policy.as_module().eval()
    example = torch.from_numpy(observations(module, seen, BATCH))
    with _translated("ONNX"), tempfile.TemporaryDirectory() as folder:
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

    obs = observations(module, seen, N_CHECKED)
    return data, checked(policy, obs, played, run, "onnxruntime")


def to_torchscript(policy: Exportable, seen: Space, played: Space) -> tuple[bytes, float]:
    """The file, and the largest difference of what it gives from the policy; see `to_onnx`."""
    import torch

    module = policy.as_module().eval()
    example = torch.from_numpy(observations(module, seen, BATCH))
    kept = io.BytesIO()
    with _translated("TorchScript"):
        jit: Any = torch.jit
        jit.save(jit.freeze(jit.trace(module, (example,)).eval()), kept)
        loaded = jit.load(io.BytesIO(kept.getvalue()))

    def run(obs: Array) -> tuple[Array, Array]:
        with torch.inference_mode():
            actions, outputs = loaded(torch.from_numpy(obs))
        return actions.numpy(), outputs.numpy()

    obs = observations(module, seen, N_CHECKED)
    return kept.getvalue(), checked(policy, obs, played, run, "TorchScript")


def observations(module: nn.Module, space: Space, n: int) -> Array:
    """Random observations as the policy knows them: around its mean, or of its space."""
    from dagger_cli.networks.layers import Standardise

    rng = np.random.default_rng(0)
    if np.dtype(space.dtype).kind in "iub":
        top = np.array(space.sizes) if space.sizes else 256
        return rng.integers(0, top, size=(n, *space.shape)).astype(space.dtype)
    rows = rng.standard_normal((n, space.size))
    for layer in module.modules():
        if isinstance(layer, Standardise):
            rows = layer.mean.numpy() + 2 * layer.std.numpy() * rows
    return rows.reshape(n, *space.shape).astype(space.dtype)


def checked(
    policy: Exportable,
    obs: Array,
    played: Space,
    run: Callable[[Array], tuple[Array, Array]],
    name: str,
) -> float:
    """The largest difference from the policy itself; ExpertError where it is not small."""
    rng, t = np.random.default_rng(0), np.zeros(len(obs), np.int64)
    actions, outputs = policy.act(Observation(obs, t), rng).actions, policy.outputs(obs)
    with _translated(name):
        their_actions, their_outputs = run(obs)
    if (their_actions.shape, their_outputs.shape) != (actions.shape, outputs.shape):
        raise ExpertError(f"{name} gives actions of another shape; nothing was written")
    scale = max(1.0, float(np.abs(outputs).max()))
    difference = float(np.abs(outputs - their_outputs).max()) / scale
    if played.kind == "box":
        apart = np.abs(actions - their_actions).max() / _range(played)
        difference = max(difference, float(apart))
    if not difference <= CLOSE:
        raise ExpertError(f"{name} gives other actions, by {difference:.1g}; nothing was written")
    return difference


def _range(space: Space) -> float:
    width = np.array(space.high) - np.array(space.low)
    return max(1.0, float(width[np.isfinite(width)].max(initial=1.0)))


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """Whatever an exporter raises as one sentence; nothing of what it prints."""
    try:
        with _silence():
            yield
    except Exception as err:  # a module of the user may do what torch cannot trace
        reason = " ".join(str(err).split())[:200] or type(err).__name__
        raise ExpertError(f"the network cannot be written as {name} ({reason})") from err


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
