"""A network of ours: batch-first inference, equal to the `predict` of stable-baselines3.

It counts in float32, as that does, with the same kernels: the same rows give the same bits, see
layers.py. Students of ours count in float64, with the bits of the policy they were.
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
    """Raw observations (n, *obs_shape) to actions (n, *action_shape) of the action space's type."""

    def __init__(self, spec: Spec, weights: Weights) -> None:
        import torch

        if not all(np.isfinite(value).all() for value in weights.values()):
            raise ExpertError("the expert's weights are not finite numbers")
        self.spec = spec
        self.weights = weights
        self._dtype = torch.float64 if spec.double else torch.float32
        self._tensors = {k: torch.tensor(v, dtype=self._dtype) for k, v in weights.items()}
        self._outputs = Outputs(spec, self._tensors)
        self._build()

    def act(self, obs: Array, rng: Generator | None) -> Array:
        """The agent's preferred actions, or a draw from its distribution where `rng` is given."""
        if rng is None and self._few is not None and 1 < len(obs) <= self._few.most:
            numbers = self._few(obs)
            return self._outputs.actions(numbers, numbers, rng)
        import torch

        with torch.inference_mode():
            x, latent = self._through(obs)
            return self._outputs.actions(x, latent, rng)

    def outputs(self, obs: Array) -> Array:
        """What the last layer gives, (n, k), before it is made into actions."""
        import torch

        with torch.inference_mode():
            outputs: Array = self._through(obs)[0].numpy()
        return outputs

    def _through(self, obs: Array) -> tuple[Tensor, Tensor]:
        """The last layer's numbers, and those before it."""
        x = latent = self._input(obs)
        for layer in self._layers:
            latent, x = x, layer(x)
        return x, latent

    def _build(self) -> None:
        """The layers, and one observation through them, which finds out whether all shapes fit."""
        from dagger_cli.networks.layers import functions
        from dagger_cli.networks.small_batch import few_rows

        space = self.spec.observation_space
        try:
            self._layers = functions(self.spec, self._tensors)
            if self.spec.clip is not None:
                self._deviation = np.sqrt(self.weights["variance"] + self.spec.epsilon)
            self._few = few_rows(self.spec, self.weights, self._tensors)
            self.act(np.zeros((1, *space.shape), dtype=space.dtype), np.random.default_rng(0))
        except (RuntimeError, KeyError, ValueError, IndexError, TypeError) as err:
            reason = str(err).splitlines()[0] if str(err) else type(err).__name__
            raise ExpertError(f"the expert's weights do not fit together ({reason})") from err

    def _input(self, obs: Array) -> Tensor:
        import torch

        spec, space = self.spec, self.spec.observation_space
        standardised = spec.layers[0].kind == "Standardise"  # students see choices as numbers
        if space.kind in ("discrete", "multi_discrete") and not standardised:
            flat = obs.reshape(len(obs), -1)
            return torch.from_numpy(_one_hot(flat, space.sizes)).to(self._dtype)
        if spec.channels_last:
            obs = np.moveaxis(obs, -1, 1)
        if spec.clip is not None:
            obs = self._normalised(obs, spec.clip)
        # A copy, because torch wants it writable.
        obs = obs.reshape(len(obs), -1) if standardised else obs
        x = torch.from_numpy(np.array(obs, dtype=np.float64 if spec.double else np.float32))
        return x / spec.scale if spec.scale != 1.0 else x

    def _normalised(self, obs: Array, clip: float) -> Array:
        # np.clip says the same, but takes five times as long on so few numbers.
        scaled = (obs - self.weights["mean"]) / self._deviation
        return np.asarray(np.minimum(np.maximum(scaled, -clip), clip))


def _one_hot(choices: Array, sizes: tuple[int, ...]) -> Array:
    pieces = [np.eye(n, dtype=np.float32)[choices[:, i]] for i, n in enumerate(sizes)]
    return np.concatenate(pieces, axis=1)
