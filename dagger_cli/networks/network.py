"""Network of an agent: batched inference, equal to the `predict` of stable-baselines3.

It computes in float32 with the same kernels as stable-baselines3, with bit-identical results per
row, see small_batch_float32.py. Trained policies used as agents compute as in forward.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Array
from dagger_cli.networks.action_heads import Outputs
from dagger_cli.networks.spec import Spec, Weights

if TYPE_CHECKING:
    from torch import Tensor


class Network:
    """Network that maps raw observations (n, *obs_shape) to actions (n, *action_shape).

    Raises ExpertError where the weights are not finite or do not fit the spec.
    """

    def __init__(self, spec: Spec, weights: Weights) -> None:
        import torch

        if not all(np.isfinite(value).all() for value in weights.values()):
            raise ExpertError("the expert's weights are not finite numbers")
        self.spec = spec
        self.weights = weights
        named = weights.items()
        noise = {k: torch.tensor(v, dtype=torch.float32) for k, v in named if "log_std" in k}
        self._outputs = Outputs(spec, noise)
        self._build()

    def act(self, obs: Array, rng: Generator | None) -> Array:
        """Returns the deterministic actions, or samples of its distribution if `rng` is given."""
        if rng is None and self._few is not None and 1 < len(obs) <= self._most:
            numbers = self._few(obs)
            return self._outputs.actions(numbers, numbers, rng)
        import torch

        with torch.inference_mode():
            x, latent = self._through(obs)
            return self._outputs.actions(x, latent, rng)

    def outputs(self, obs: Array) -> Array:
        """Returns the outputs of the last layer, (n, k), before the action head."""
        import torch

        with torch.inference_mode():
            outputs: Array = self._through(obs)[0].numpy()
        return outputs

    def _through(self, obs: Array) -> tuple[Tensor, Tensor]:
        """Returns the outputs of the last layer and of the one before it."""
        import torch

        if self._student is not None:
            x = torch.from_numpy(self._student(obs))
            return x, x
        x = latent = self._input(obs)
        for layer in self._layers:
            latent, x = x, layer(x)
        return x, latent

    def _build(self) -> None:
        """Builds the layers and evaluates one observation, which checks all shapes."""
        from torch import nn

        from dagger_cli.core.one_hot import KINDS, OneHotRows
        from dagger_cli.networks.forward import Forward
        from dagger_cli.networks.small_batch_float32 import (
            ALONE,
            Statistics,
            each_alone,
            float32_rows,
        )
        from dagger_cli.networks.spec_modules import sequential

        spec, space = self.spec, self.spec.observation_space
        flat = space.kind == "box" and len(space.shape) == 1 and spec.scale == 1.0
        try:
            network = sequential(spec, self.weights)
            self._statistics = None
            if spec.clip is not None:
                deviation = np.sqrt(self.weights["variance"] + spec.epsilon)
                self._statistics = Statistics(self.weights["mean"], deviation, spec.clip)
            self._student = Forward(network) if spec.double else None
            self._layers = [
                each_alone(m) if isinstance(m, nn.Linear) else m.forward for m in network
            ]
            self._one_hot = OneHotRows(space, np.float32) if space.kind in KINDS else None
            few = flat and not spec.double
            self._few, self._most = float32_rows(network, self._statistics) if few else None, ALONE
            blank = np.full((1, *space.shape), space.start, space.dtype)
            self.act(blank, np.random.default_rng(0))
        except (RuntimeError, KeyError, ValueError, IndexError, TypeError) as err:
            reason = str(err).splitlines()[0] if str(err) else type(err).__name__
            raise ExpertError(f"the expert's weights do not fit together ({reason})") from err

    def _input(self, obs: Array) -> Tensor:
        import torch

        spec = self.spec
        if self._one_hot is not None:
            return torch.from_numpy(self._one_hot(obs))
        if spec.channels_last:
            obs = np.moveaxis(obs, -1, 1)
        if self._statistics is not None:
            obs = self._statistics.normalised(obs)
        x = torch.from_numpy(np.array(obs, np.float32))  # a copy, as torch needs a writable array
        return x / spec.scale if spec.scale != 1.0 else x
