"""Export of a policy to ONNX or TorchScript: one file, including the observation statistics."""

from __future__ import annotations

import io
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from dagger_cli.core.errors import ConfigError, ExpertError
from dagger_cli.core.tape import Tape
from dagger_cli.core.types import Array, Observation, Policy, Space
from dagger_cli.networks.carried import CarriedStep

if TYPE_CHECKING:
    from torch import Tensor, nn

CLOSE = 1e-5  # largest difference of an exported network, relative to the largest output
N_CHECKED = 1000  # observations
EPISODE = 20  # of them in an episode, where the policy carries a state
BATCH = 3  # batch size of the example for tracing


@runtime_checkable
class Exportable(Policy, Protocol):
    """Policy that can be converted to one torch module."""

    def outputs(self, rows: Any, /) -> Array:
        """Returns the outputs (n, k) of the last layer for `Observation.rows` (n, *obs_shape)."""
        ...

    def as_module(self) -> nn.Module:
        """Returns a module from observations to `actions` and `outputs`, in float32."""
        ...


def to_onnx(policy: Exportable, seen: Space, played: Space) -> tuple[bytes, float]:
    """Returns the file's bytes, and the largest difference between onnxruntime and the policy.

    `seen` and `played` are the spaces of observations and actions. Raises ConfigError where the
    export extra is not installed, ExpertError where the module cannot be exported.
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
    inputs, results = _names(module)
    rows = {0: torch.export.Dim("n", min=1)}
    with _translated("ONNX"), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "student.onnx"
        torch.onnx.export(
            module,
            _example(module, seen),
            path,
            input_names=inputs,
            output_names=results,
            dynamic_shapes=(rows,) * len(inputs),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        data = path.read_bytes()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def run(*given: Array) -> tuple[Array, ...]:
        return tuple(session.run(results, dict(zip(inputs, given, strict=True))))

    return data, _difference(policy, module, seen, played, run, "onnxruntime")


def to_torchscript(policy: Exportable, seen: Space, played: Space) -> tuple[bytes, float]:
    """Returns the file's bytes, and the largest difference from the policy; see `to_onnx`."""
    import torch

    module = policy.as_module().eval()
    kept = io.BytesIO()
    with _translated("TorchScript"):
        jit: Any = torch.jit
        jit.save(jit.freeze(jit.trace(module, _example(module, seen)).eval()), kept)
        loaded = jit.load(io.BytesIO(kept.getvalue()))

    def run(*given: Array) -> tuple[Array, ...]:
        with torch.inference_mode():
            return tuple(found.numpy() for found in loaded(*map(torch.from_numpy, given)))

    return kept.getvalue(), _difference(policy, module, seen, played, run, "TorchScript")


def _names(module: nn.Module) -> tuple[list[str], list[str]]:
    """Returns the names of a module's inputs and outputs."""
    if not isinstance(module, CarriedStep):
        return ["observations"], ["actions", "outputs"]
    return ["observations", "states"], ["actions", "outputs", "next_states"]


def _example(module: nn.Module, seen: Space) -> tuple[Tensor, ...]:
    """Returns inputs of a module, to trace it."""
    import torch

    obs = torch.from_numpy(observations(module, seen, BATCH))
    if not isinstance(module, CarriedStep):
        return (obs,)
    return obs, torch.zeros(BATCH, module.units)


def _difference(
    policy: Exportable,
    module: nn.Module,
    seen: Space,
    played: Space,
    run: Callable[..., tuple[Array, ...]],
    name: str,
) -> float:
    """Returns the largest difference of a file from the policy; raises as `checked`.

    One that carries a state is compared in episodes of EPISODE steps.
    """

    def found_in(*given: Array) -> tuple[Array, ...]:
        with _translated(name):
            return run(*given)

    obs = observations(module, seen, N_CHECKED)
    if not isinstance(module, CarriedStep):
        rows = Observation(obs, np.zeros(len(obs), np.int64))
        return checked(policy, rows, played, found_in(obs), name)
    n, worst = len(obs) // EPISODE, 0.0
    tape, states = Tape(n, seen.shape, seen.dtype), np.zeros((n, module.units), np.float32)
    for step, here in enumerate(np.split(obs, EPISODE)):
        (tape.push if step else tape.start)(slice(None), here)
        found = found_in(here, states)
        rows = Observation(here, tape.past, past=tape.rows)
        worst = max(worst, checked(policy, rows, played, found, name))
        states = found[2]
    return worst


def observations(module: nn.Module, space: Space, n: int) -> Array:
    """Returns n random observations (n, *shape): from its statistics, or uniform for integers."""
    from dagger_cli.networks.chunked import Chunked
    from dagger_cli.networks.layers import Select, Standardise

    rng = np.random.default_rng(0)
    if np.dtype(space.dtype).kind in "iub":
        top = np.array(space.sizes) if space.sizes else 256
        choices = rng.integers(0, top, size=(n, *space.shape)) + space.start
        return choices.astype(space.dtype)
    rows = rng.standard_normal((n, space.size))
    seen: Any = [slice(None)]
    for layer in module.modules():
        if isinstance(layer, Select):
            seen = [layer.index.numpy()]
        if isinstance(layer, Chunked):
            seen = layer.index.numpy()
            rows[:, layer.count] = rng.integers(0, len(seen), n)
        if isinstance(layer, Standardise):
            plain = rows.copy()  # a chunk's observations overlap
            for one in seen:
                rows[:, one] = layer.mean.numpy() + 2 * layer.std.numpy() * plain[:, one]
    return rows.reshape(n, *space.shape).astype(space.dtype)


def checked(
    policy: Exportable,
    rows: Observation,
    played: Space,
    found: Sequence[Array],
    name: str,
) -> float:
    """Returns the largest difference of the actions and outputs `found` from the policy's.

    Raises ExpertError where it exceeds CLOSE or a shape differs.
    """
    actions = policy.act(rows, np.random.default_rng(0)).actions
    outputs, (their_actions, their_outputs, *_) = policy.outputs(rows.rows), found
    if (their_actions.shape, their_outputs.shape) != (actions.shape, outputs.shape):
        raise ExpertError(f"{name} returns actions of another shape; nothing was written")
    scale = max(1.0, float(np.abs(outputs).max()))
    difference = float(np.abs(outputs - their_outputs).max()) / scale
    if played.kind == "box":
        apart = np.abs(actions - their_actions).max() / _range(played)
        difference = max(difference, float(apart))
    if not difference <= CLOSE:
        raise ExpertError(
            f"{name} differs from the policy by {difference:.1g}; nothing was written"
        )
    return difference


def _range(space: Space) -> float:
    width = np.array(space.high) - np.array(space.low)
    return max(1.0, float(width[np.isfinite(width)].max(initial=1.0)))


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """Converts any error of an exporter to ExpertError, and hides what it prints."""
    try:
        with _silence():
            yield
    except Exception as err:  # a user's module may not be traceable
        reason = " ".join(str(err).split())[:200] or type(err).__name__
        raise ExpertError(f"the network cannot be written as {name} ({reason})") from err


@contextmanager
def _silence() -> Iterator[None]:
    """Hides the output, warnings and log messages of torch's exporters."""
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
