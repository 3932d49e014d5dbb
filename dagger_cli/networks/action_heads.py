"""From a network's last numbers to actions, as stable-baselines3 and our students make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator

from dagger_cli.core.types import Array, Space
from dagger_cli.networks.spec import Spec

if TYPE_CHECKING:
    from torch import Tensor

EPSILON_SDE = 1e-6  # stable-baselines3 adds this to the variance of state-dependent noise
LOG_STD_RANGE = (-20.0, 2.0)  # SAC, TQC and CrossQ keep the predicted log std in here


class Outputs:
    """The head of a network; `tensors` are its weights by their names."""

    def __init__(self, spec: Spec, tensors: Mapping[str, Tensor]) -> None:
        self._head, self._space, self._tensors = spec.head, spec.action_space, tensors
        bounds = self._space.low, self._space.high
        self._low, self._high = (np.array(bound, np.float32) for bound in bounds)

    def actions(self, x: Tensor, latent: Tensor, rng: Generator | None) -> Array:
        """(n, *action_shape) of the last layer's (n, k) and the (n, m) that went into it.

        The preferred actions, or a draw from the distribution where `rng` is given.
        """
        kind, space = self._head.kind, self._space
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
        head, low, high = self._head, self._low, self._high
        if head.mean_limit is not None:
            x = x.clamp(-head.mean_limit, head.mean_limit)
        if rng is not None and head.noise != "none":
            noise = rng.standard_normal(tuple(x.shape), dtype=np.float32)
            x = x + self._std(latent) * x.new_tensor(noise)
        if head.squash:
            actions = low + (0.5 * (x.tanh().numpy() + 1.0) * (high - low))
        else:
            actions = np.minimum(np.maximum(x.numpy(), low), high)  # quicker than np.clip
        return np.asarray(actions, self._space.dtype).reshape(-1, *self._space.shape)

    def _std(self, latent: Tensor) -> Tensor:
        import torch
        from torch.nn import functional

        if self._head.noise == "gaussian_net":
            weight, bias = self._tensors["log_std.weight"], self._tensors["log_std.bias"]
            return functional.linear(latent, weight, bias).clamp(*LOG_STD_RANGE).exp()
        log_std = self._tensors["log_std"]
        if self._head.noise == "gaussian":
            return log_std.exp()
        std = log_std.exp()
        if self._head.expln:
            std = torch.where(log_std > 0, torch.log1p(log_std.clamp(min=0)) + 1.0, std)
        n_actions = self._space.size
        return (latent**2 @ std.expand(-1, n_actions) ** 2 + EPSILON_SDE).sqrt()

    def _greedy(self, x: Tensor, rng: Generator | None) -> Array:
        n_actions = self._space.sizes[0]
        values = x.view(len(x), -1, n_actions).mean(1)
        best: Array = values.argmax(1).numpy()
        if rng is None:
            return best
        explore = rng.random(len(best)) < self._head.epsilon
        return np.where(explore, rng.integers(n_actions, size=len(best)), best)


def _scaled(x: Tensor, space: Space) -> Array:
    """What dagger_cli.policies.heads does to a student's outputs, in the same order."""
    bounded, centre, half = space.centre_and_half()
    unit = np.where(bounded, np.tanh(x.numpy()), x.numpy())
    scaled = unit * half.astype(np.float32) + centre.astype(np.float32)
    inside = np.clip(scaled, np.asarray(space.low, np.float64), np.asarray(space.high, np.float64))
    return space.cast(inside).reshape(-1, *space.shape)


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
