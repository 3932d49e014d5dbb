"""A network of ours: batch-first inference, equal to the `predict` of stable-baselines3.

It counts in float32, as that does, with the same kernels: the same rows give the same bits, see
layers.py. Students of ours count in float64, with the bits of the policy they were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Array, Space
from dagger_cli.experts.spec import Spec, Weights

if TYPE_CHECKING:
    from torch import Tensor

EPSILON_SDE = 1e-6  # stable-baselines3 adds this to the variance of state-dependent noise
LOG_STD_RANGE = (-20.0, 2.0)  # SAC, TQC and CrossQ keep the predicted log std in here


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
        bounds = spec.action_space.low, spec.action_space.high
        self._low, self._high = (np.array(bound, np.float32) for bound in bounds)
        self._build()

    def act(self, obs: Array, rng: Generator | None) -> Array:
        """The agent's preferred actions, or a draw from its distribution where `rng` is given."""
        if rng is None and self._few is not None and 1 < len(obs) <= self._few.most:
            numbers = self._few(obs)
            return self._output(numbers, numbers, rng)
        import torch

        with torch.inference_mode():
            x, latent = self._through(obs)
            return self._output(x, latent, rng)

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
        from dagger_cli.experts.few_rows import few_rows
        from dagger_cli.experts.layers import functions

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

    # -- observation -> numbers

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

    # -- numbers -> actions

    def _output(self, x: Tensor, latent: Tensor, rng: Generator | None) -> Array:
        kind, space = self.spec.head.kind, self.spec.action_space
        if kind == "box":
            return self._box(x, latent, rng)
        if kind == "scaled":
            return _scaled(x, space)
        if kind == "bernoulli":
            actions = _bernoulli(x, rng)
        elif kind == "categorical":
            pieces = np.split(x.numpy(), np.cumsum(space.sizes)[:-1], axis=1)
            actions = np.stack([_categorical(logits, rng) for logits in pieces], axis=1)
        else:
            actions = self._greedy(x, rng)
        actions = actions.reshape(len(x), *space.shape) + space.start
        return actions.astype(space.dtype)

    def _box(self, x: Tensor, latent: Tensor, rng: Generator | None) -> Array:
        head, space = self.spec.head, self.spec.action_space
        if head.mean_limit is not None:
            x = x.clamp(-head.mean_limit, head.mean_limit)
        if rng is not None and head.noise != "none":
            noise = rng.standard_normal(tuple(x.shape), dtype=np.float32)
            x = x + self._std(latent) * x.new_tensor(noise)
        low, high = self._low, self._high
        if head.squash:
            actions = low + (0.5 * (x.tanh().numpy() + 1.0) * (high - low))
        else:
            actions = np.minimum(np.maximum(x.numpy(), low), high)  # quicker than np.clip
        return np.asarray(actions, space.dtype).reshape(-1, *space.shape)

    def _std(self, latent: Tensor) -> Tensor:
        import torch
        from torch.nn import functional

        if self.spec.head.noise == "gaussian_net":
            weight, bias = self._tensors["log_std.weight"], self._tensors["log_std.bias"]
            return functional.linear(latent, weight, bias).clamp(*LOG_STD_RANGE).exp()
        log_std = self._tensors["log_std"]
        if self.spec.head.noise == "gaussian":
            return log_std.exp()
        std = log_std.exp()
        if self.spec.head.expln:
            std = torch.where(log_std > 0, torch.log1p(log_std.clamp(min=0)) + 1.0, std)
        n_actions = self.spec.action_space.size
        return (latent**2 @ std.expand(-1, n_actions) ** 2 + EPSILON_SDE).sqrt()

    def _greedy(self, x: Tensor, rng: Generator | None) -> Array:
        n_actions = self.spec.action_space.sizes[0]
        values = x.view(len(x), -1, n_actions).mean(1)
        best: Array = values.argmax(1).numpy()
        if rng is None:
            return best
        explore = rng.random(len(best)) < self.spec.head.epsilon
        return np.where(explore, rng.integers(n_actions, size=len(best)), best)


def _scaled(x: Tensor, space: Space) -> Array:
    """What dagger_cli.policies.heads does to a student's outputs, in the same order."""
    low, high = np.asarray(space.low, np.float64), np.asarray(space.high, np.float64)
    bounded = np.isfinite(low) & np.isfinite(high)
    below, above = np.where(bounded, low, -1.0), np.where(bounded, high, 1.0)
    half, centre = (
        ((above - below) / 2).astype(np.float32),
        ((below + above) / 2).astype(np.float32),
    )
    unit = np.where(bounded, np.tanh(x.numpy()), x.numpy())
    inside = np.clip(unit * half + centre, low, high)
    return np.asarray(inside, space.dtype).reshape(-1, *space.shape)


def _one_hot(choices: Array, sizes: tuple[int, ...]) -> Array:
    pieces = [np.eye(n, dtype=np.float32)[choices[:, i]] for i, n in enumerate(sizes)]
    return np.concatenate(pieces, axis=1)


def _categorical(logits: Array, rng: Generator | None) -> Array:
    if rng is not None:
        # The largest is then a draw from the softmax.
        logits = logits + rng.gumbel(size=logits.shape)
    best: Array = logits.argmax(axis=1)
    return best


def _bernoulli(logits: Tensor, rng: Generator | None) -> Array:
    ones = logits.sigmoid().numpy()
    threshold: Any = 0.5 if rng is None else rng.random(ones.shape)
    answer: Array = ones > threshold
    return answer
