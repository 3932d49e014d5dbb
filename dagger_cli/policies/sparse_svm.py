"""`policy=sparse_svm`: one linear support vector machine per button, on bit-packed features.

For observations of bytes with eight binary features each and MultiBinary actions (`env=mario`;
Ross, Gordon & Bagnell 2011, section 5.2: four independent linear SVMs, lambda = 1e-4). Each
minimizes lambda / 2 |w|^2 + the mean hinge loss; the bias is the weight of a constant feature.
Fitted by dual coordinate ascent (Hsieh, Chang, Lin, Keerthi & Sundararajan 2008) with a fixed
number of shuffled passes; it has no learning rate. Features that are nearly always set make the
iterates oscillate around the optimum, so the weights are averaged over the second half.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator

from dagger_cli.core.compact import Stored
from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Acts, Array, Fitted, Observation, Policy, Space
from dagger_cli.policies.saved_weights import check_weights

if TYPE_CHECKING:
    from torch import nn

ROWS = 4096  # read at a time
PARTS = 10  # times per pass that the weights are added to the average


@dataclass(frozen=True)
class SparseSvmPolicy:
    """Policy with `weights` (features + 1, buttons) float32, the bias in the last row."""

    weights: Array
    actions: Space

    def outputs(self, obs: Array) -> Array:
        """Returns margins (n, buttons) float32 of packed rows (n, bytes); > 0 means pressed."""
        from dagger_cli.policies.sparse_svm_kernels import margins_of

        margins = np.empty((len(obs), self.weights.shape[1]), np.float32)
        margins_of(np.ascontiguousarray(obs.reshape(len(obs), -1)), self.weights, margins)
        return margins

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Presses the buttons with positive margins; deterministic, `rng` is not used."""
        pressed = (self.outputs(observation.obs) > 0).astype(self.actions.dtype)
        return Acts(pressed.reshape(-1, *self.actions.shape), np.zeros(len(observation), bool))

    def as_module(self) -> nn.Module:
        """Returns the policy as a torch module, for export."""
        from dagger_cli.networks.exported import Exported
        from dagger_cli.policies.svm_module import BitsModule, ButtonsModule

        return Exported(BitsModule(self.weights), ButtonsModule(self.actions.shape))


@dataclass(frozen=True, kw_only=True)
class SparseSvmLearner:
    """Learner of `SparseSvmPolicy`; every fit starts from zero weights."""

    observations: Space
    actions: Space
    regularization: float
    passes: int  # over all rows, per fit

    def __post_init__(self) -> None:
        seen = self.observations
        if seen.kind != "box" or seen.dtype != "uint8" or set(seen.high) != {255.0}:
            raise ConfigError(
                f"policy=sparse_svm needs packed bits, bytes from 0 to 255, but observations are "
                f"{seen.dtype} of shape {seen.shape}; use policy=svm or policy=linear"
            )
        if self.actions.kind != "multi_binary":
            raise ConfigError(
                f"policy=sparse_svm needs multi_binary actions, not {self.actions.kind} ones; "
                "use policy=svm or policy=linear"
            )
        if not self.regularization > 0:
            raise ConfigError(
                f"policy.regularization must be > 0, got {self.regularization}; try 1e-4"
            )
        if self.passes < 1:
            raise ConfigError(f"policy.passes must be at least 1, got {self.passes}")

    def fit(self, data: Dataset, start: Policy | None, rng: Generator) -> Fitted:
        """Fits the weights on all rows; returns the policy and its mean loss on them."""
        from dagger_cli.policies.sparse_svm_kernels import ascend

        signs = self._signs(data)
        weights, alphas = np.zeros(self._shape, np.float32), np.zeros_like(signs)
        most = 1 / (self.regularization * len(data))
        orders = [rng.permutation(len(data)) for _ in range(self.passes)]
        parts = [part for order in orders for part in np.array_split(order, PARTS)]
        total, later = np.zeros(self._shape), len(parts) // 2
        for number, part in enumerate(parts):
            for order in _pieces(part):
                rows, own = _bytes(data.stored[order]), alphas[order]
                ascend(rows, signs[order], np.arange(len(order)), own, weights, most)
                alphas[order] = own
            if number >= later:
                total += weights
        mean = (total / (len(parts) - later)).astype(np.float32)
        policy = SparseSvmPolicy(mean, self.actions)
        return Fitted(policy, self.loss(policy, data))

    def loss(self, policy: Policy, data: Dataset) -> float:
        """Returns the hinge loss summed over buttons and averaged over rows."""
        assert isinstance(policy, SparseSvmPolicy)
        every = _pieces(np.arange(len(data)))
        margins = [policy.outputs(np.asarray(data.stored[rows])) for rows in every]
        short = 1 - self._signs(data) * np.concatenate(margins)
        return float(np.maximum(short, 0).sum(1, dtype=np.float64).mean())

    def pack(self, policy: Policy) -> dict[str, Array]:
        """Returns the weights as the array `weights`."""
        assert isinstance(policy, SparseSvmPolicy)
        return {"weights": policy.weights}

    def unpack(self, arrays: Mapping[str, Array]) -> Policy:
        """Returns the policy; raises CheckpointError where the weights do not fit."""
        check_weights(arrays, self._shape)
        return SparseSvmPolicy(np.array(arrays["weights"]), self.actions)

    @property
    def _shape(self) -> tuple[int, int]:
        return 8 * self.observations.size + 1, self.actions.size

    def _signs(self, data: Dataset) -> Array:
        """Returns (N, buttons): 1 where the button was pressed, otherwise -1."""
        return 2 * data.labels.reshape(len(data), -1).astype(np.float32) - 1


def _pieces(order: Array) -> Iterator[Array]:
    """Yields `ROWS` of the numbers (n,) at a time."""
    for begin in range(0, len(order), ROWS):
        yield order[begin : begin + ROWS]


def _bytes(rows: Stored) -> Array:
    """Returns packed rows (n, bytes)."""
    return np.ascontiguousarray(np.asarray(rows).reshape(len(rows), -1))
