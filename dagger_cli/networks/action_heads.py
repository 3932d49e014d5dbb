"""Action heads for acting: map network outputs to actions, for learners and for SB3 agents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator

from dagger_cli.core.types import Array, Space
from dagger_cli.networks.spec import Spec

if TYPE_CHECKING:
    from torch import Tensor

EPSILON_SDE = 1e-6  # added by stable-baselines3 to the variance of state-dependent noise
LOG_STD_RANGE = (-20.0, 2.0)  # SAC, TQC and CrossQ clamp the predicted log std to it


class Scaled:
    """Head of learners for Box: tanh, scaled to the bounds; linear without both bounds."""

    def __init__(self, space: Space) -> None:
        self.bounded, centre, half = space.centre_and_half()
        self.all_bounded = bool(self.bounded.all())
        self.centre, self.half = centre.astype(np.float32), half.astype(np.float32)
        self._low, self._high = (np.asarray(x, np.float64) for x in (space.low, space.high))
        self._space = space

    def actions(self, outputs: Array) -> Array:
        """Maps outputs (n, k) to actions (n, *action_shape) of the space's dtype."""
        return self.scaled(self.unit(outputs))

    def unit(self, outputs: Array) -> Array:
        """Maps outputs (..., k) to actions in units of half the range."""
        unit = np.tanh(outputs)
        return unit if self.all_bounded else np.where(self.bounded, unit, outputs)

    def scaled(self, unit: Array) -> Array:
        """Maps such actions (n, k), which it overwrites, to those of the space."""
        unit *= self.half
        unit += self.centre
        # Rounding can exceed the range by one unit in the last place; np.clip is slower.
        inside = np.minimum(np.maximum(unit, self._low), self._high)
        return self._space.cast(inside).reshape(-1, *self._space.shape)


class Choices:
    """Head for finite spaces: argmax, or a sample of the softmax, for each component."""

    def __init__(self, space: Space) -> None:
        ends = np.cumsum(space.sizes).tolist()
        self.parts = [slice(end - n, end) for end, n in zip(ends, space.sizes, strict=True)]
        self._space = space

    def actions(self, outputs: Array, rng: Generator | None = None) -> Array:
        """Maps logits (n, sum of sizes) to actions (n, *action_shape) of the space's dtype.

        Samples where `rng` is given, otherwise takes the argmax.
        """
        logits = [outputs[:, part] for part in self.parts]
        if rng is not None:
            # Gumbel-max trick: the argmax is then a sample of the softmax.
            logits = [part + rng.gumbel(size=part.shape) for part in logits]
        choices = np.stack([part.argmax(1) + self._space.start for part in logits], 1)
        return choices.astype(self._space.dtype).reshape(-1, *self._space.shape)

    def probabilities(self, outputs: Array) -> Array:
        """Maps logits (..., sum of sizes) to probabilities of each component's choices."""
        return np.concatenate([softmax(outputs[..., part]) for part in self.parts], axis=-1)


def softmax(logits: Array) -> Array:
    """Returns the probabilities (..., choices)."""
    odds = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(odds / odds.sum(-1, keepdims=True))


class Outputs:
    """Head of an agent; `tensors` are the parameters of its action noise by name."""

    def __init__(self, spec: Spec, tensors: Mapping[str, Tensor]) -> None:
        self._head, self._space, self._tensors = spec.head, spec.action_space, tensors
        bounds = self._space.low, self._space.high
        self._low, self._high = (np.array(bound, np.float32) for bound in bounds)
        self._scaled = Scaled(self._space) if self._head.kind == "scaled" else None
        self._choices = Choices(self._space) if self._head.kind == "categorical" else None

    def actions(self, x: Tensor, latent: Tensor, rng: Generator | None) -> Array:
        """Maps the last layer's outputs (n, k) and inputs `latent` (n, m) to (n, *action_shape).

        Returns the deterministic actions, or samples of the distribution where `rng` is given.
        """
        if self._choices is not None:
            return self._choices.actions(x.numpy(), rng)
        if self._scaled is not None:
            return self._scaled.actions(x.numpy())
        if self._head.kind == "box":
            return self._box(x, latent, rng)
        space = self._space
        actions = _bernoulli(x, rng) if self._head.kind == "bernoulli" else self._greedy(x, rng)
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
            actions = np.minimum(np.maximum(x.numpy(), low), high)  # faster than np.clip
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


def _bernoulli(logits: Tensor, rng: Generator | None) -> Array:
    ones = logits.sigmoid().numpy()
    threshold: Any = 0.5 if rng is None else rng.random(ones.shape)
    answer: Array = ones > threshold
    return answer
