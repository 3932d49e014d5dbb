"""`policy=svm`: multiclass linear support vector machine, by reduction to binary problems.

All pairs: one hyperplane for each of the C (C - 1) / 2 pairs of classes, fitted only on the rows of
those two classes; predicts the class with the highest score over its pairs (Ross, Gordon & Bagnell
2011, section 5.3, use it for handwriting). One versus rest: one hyperplane per class; predicts the
class with the largest margin. Each hyperplane minimizes lambda / 2 |w|^2 + (1 / N) * (the sum of
its hinge losses), N being the number of all rows, by averaged stochastic subgradient descent: the
step size falls linearly to 0, and the weights are averaged over the second half of the steps.
With `pairs` the products of two inputs are inputs, too (svm_pair_kernels.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.random import Generator

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.one_hot import OneHotRows, encodes
from dagger_cli.core.types import Acts, Array, Fitted, Observation, Policy, Space
from dagger_cli.policies.saved_weights import check_weights

if TYPE_CHECKING:
    from torch import nn

Reduction = Literal["all_pairs", "one_vs_rest"]
Decode = Literal["votes", "margins"]
MOST_WEIGHTS = 2**28  # of products of inputs: 1 GiB
ROWS_A_STEP = 512  # rows between two updates by the L2 penalty and by the average


@dataclass(frozen=True)
class SvmPolicy:
    """Policy with `weights` (d + 1, P) float32: one column per hyperplane, the bias last."""

    weights: Array
    actions: Space
    reduction: Reduction
    decode: Decode
    one_hot: Space | None = None  # of observations that are encoded, see networks/one_hot.py
    pairs: bool = False  # products of two inputs are inputs, too

    def outputs(self, obs: Array) -> Array:
        """Returns scores (n, C): in [-1, 1] for all pairs, the margins for one versus rest."""
        from dagger_cli.policies import svm_pair_kernels
        from dagger_cli.policies.svm_kernels import margins, tournament

        classes = self.actions.sizes[0]
        rows = _features(obs, self.one_hot)
        if self.pairs:
            return np.asarray(svm_pair_kernels.margins(rows, self.weights))
        found: Array = margins(rows, self.weights)
        if self.reduction == "one_vs_rest":
            return found
        most = 1.0 if self.decode == "margins" else 0.0
        return np.asarray(tournament(found, classes, most) / (classes - 1))

    def scores(self, observation: Observation) -> Array:
        """Returns `outputs`, (n, C), for beam search."""
        return self.outputs(observation.obs)

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Returns the class of the highest score; deterministic, `rng` is not used."""
        best = self.outputs(observation.obs).argmax(axis=1) + self.actions.start
        return Acts(best.astype(self.actions.dtype), np.zeros(len(observation), bool))

    def as_module(self) -> nn.Module:
        """Returns the policy as a torch module, for export."""
        from dagger_cli.networks.exported import ChoicesModule, Exported
        from dagger_cli.policies.svm_module import SvmModule

        classes = None if self.reduction == "one_vs_rest" else self.actions.sizes[0]
        votes = self.decode == "votes"
        network: nn.Module = SvmModule(self.weights, classes, votes=votes, products=self.pairs)
        if self.one_hot is not None:
            from torch.nn import Sequential

            from dagger_cli.networks.layers import OneHot

            network = Sequential(OneHot(self.one_hot), network)
        return Exported(network, ChoicesModule(self.actions))


@dataclass(frozen=True, kw_only=True)
class SvmLearner:
    """Learner of `SvmPolicy`: processes `row_visits` rows per fit, in shuffled passes.

    Every fit starts from zero weights.
    """

    observations: Space
    actions: Space
    reduction: Reduction
    decode: Decode
    regularization: float
    learning_rate: float
    row_visits: int
    one_hot: bool = False  # of configs saved before there was this key
    pairs: bool = False  # likewise

    def __post_init__(self) -> None:
        if self.actions.kind != "discrete" or self.actions.sizes[0] < 2:
            raise ConfigError(
                f"policy=svm needs discrete actions of 2 or more classes, but the actions here are "
                f"{self.actions.kind}; use policy=mlp"
            )
        for key, known in (("reduction", get_args(Reduction)), ("decode", get_args(Decode))):
            if getattr(self, key) not in known:
                raise ConfigError(
                    f"policy.{key} must be {' or '.join(known)}; got '{getattr(self, key)}'"
                )
        if not 0 <= self.regularization * self.learning_rate * ROWS_A_STEP < 1:
            raise ConfigError(
                f"policy.regularization={self.regularization} with policy.learning_rate="
                f"{self.learning_rate} does not converge; try 1e-4 with 0.05"
            )
        if not self.learning_rate > 0:
            raise ConfigError(f"policy.learning_rate must be > 0, got {self.learning_rate}")
        if self.row_visits < 1:
            raise ConfigError(f"policy.row_visits must be at least 1, got {self.row_visits}")
        _ = self._encoded  # raises early for too many choices
        if self.pairs:
            self._check_pairs()

    def _check_pairs(self) -> None:
        if self.reduction != "one_vs_rest":
            raise ConfigError(
                "policy.pairs works only with one hyperplane per class: set "
                "policy.reduction=one_vs_rest"
            )
        n_weights = self._n_features * self.actions.sizes[0]
        if n_weights > MOST_WEIGHTS:
            raise ConfigError(
                f"policy.pairs would have {n_weights:,} weights for the products of "
                f"{self._n_inputs:,} inputs, more than {MOST_WEIGHTS:,}; use policy.pairs=false"
            )

    def fit(self, data: Dataset, start: Policy | None, rng: Generator) -> Fitted:
        """Fits on all rows; the loss is the mean hinge loss of the rows when they are processed."""
        weights, mean, n_averaged, loss = self._blank(), self._blank(), 0, 0.0
        for done, order in self._steps(len(data), rng):
            rate = self.learning_rate * (1 - done / self.row_visits)
            rows, labels = self._rows(data[order])
            places = np.arange(len(order))
            loss += self._descend(rows, labels, places, weights, np.float32(rate))
            weights *= np.float32(1 - rate * self.regularization * len(order))
            if 2 * (done + len(order)) >= self.row_visits:
                mean += weights
                n_averaged += 1
        policy = self._policy(self._columns(mean / np.float32(n_averaged)))
        return Fitted(policy, loss / self.row_visits)

    def loss(self, policy: Policy, data: Dataset) -> float:
        """Returns the hinge loss summed over the hyperplanes of a row's class, averaged over rows.

        With one versus rest it is summed over all hyperplanes.
        """
        assert isinstance(policy, SvmPolicy)
        rows, labels = self._rows(data)
        weights, everything = self._fitting_shape(policy.weights), np.arange(len(rows))
        return float(self._descend(rows, labels, everything, weights, np.float32(0))) / len(rows)

    def pack(self, policy: Policy) -> dict[str, Array]:
        """Returns the weights as the array `weights`."""
        assert isinstance(policy, SvmPolicy)
        return {"weights": policy.weights}

    def unpack(self, arrays: Mapping[str, Array]) -> Policy:
        """Returns the policy; raises CheckpointError where the weights do not fit."""
        classes = self.actions.sizes[0]
        planes = classes * (classes - 1) // 2 if self.reduction == "all_pairs" else classes
        check_weights(arrays, (self._n_features, planes))
        return self._policy(np.array(arrays["weights"]))

    @property
    def _descend(self) -> Any:
        from dagger_cli.policies import svm_pair_kernels
        from dagger_cli.policies.svm_kernels import descend_pairs, descend_rest

        if self.pairs:
            return partial(svm_pair_kernels.descend_rest, self.actions.sizes[0])
        return descend_pairs if self.reduction == "all_pairs" else descend_rest

    def _rows(self, data: Dataset) -> tuple[Array, Array]:
        rows = _features(data.obs, self._encoded)
        return rows, data.labels.astype(np.int64) - self.actions.start

    def _policy(self, weights: Array) -> SvmPolicy:
        reduction, decode = self.reduction, self.decode
        return SvmPolicy(weights, self.actions, reduction, decode, self._encoded, self.pairs)

    @property
    def _encoded(self) -> Space | None:
        return self.observations if encodes(self.observations, self.one_hot) else None

    @property
    def _n_inputs(self) -> int:
        space = self.observations
        return space.size if self._encoded is None else sum(space.sizes)

    @property
    def _n_features(self) -> int:
        """Number of weights of a hyperplane: one per input or product, and the bias."""
        n = self._n_inputs
        return 1 + n + (n * (n - 1) // 2 if self.pairs else 0)

    def _steps(self, n: int, rng: Generator) -> Iterator[tuple[int, Array]]:
        """Yields the number of rows processed so far, and the next ones."""
        done = 0
        while done < self.row_visits:
            order = rng.permutation(n)[: self.row_visits - done]
            for begin in range(0, len(order), ROWS_A_STEP):
                yield done + begin, order[begin : begin + ROWS_A_STEP]
            done += len(order)

    def _blank(self) -> Array:
        """Returns zero weights in the shape of the kernel."""
        classes, features = self.actions.sizes[0], self._n_features
        aligned = -(-classes // 16) * 16  # full vector registers in the inner loop
        if self.reduction == "one_vs_rest":
            return np.zeros((features, aligned if self.pairs else classes), np.float32)
        return np.zeros((classes, features, aligned), np.float32)

    def _columns(self, weights: Array) -> Array:
        """Returns the weights with one column per hyperplane, (d + 1, P)."""
        if self.reduction == "one_vs_rest":
            return np.ascontiguousarray(weights[:, : self.actions.sizes[0]])
        first, second = np.triu_indices(self.actions.sizes[0], 1)
        return np.ascontiguousarray(weights[first, :, second].T)

    def _fitting_shape(self, columns: Array) -> Array:
        """Returns the inverse of `_columns`."""
        weights = self._blank()
        if self.reduction == "one_vs_rest":
            weights[:, : columns.shape[1]] = columns
            return weights
        first, second = np.triu_indices(self.actions.sizes[0], 1)
        weights[first, :, second], weights[second, :, first] = columns.T, -columns.T
        return weights


def _features(obs: Array, one_hot: Space | None) -> Array:
    """Returns observations (n, *obs_shape) as rows (n, d)."""
    rows = obs.reshape(len(obs), -1) if one_hot is None else OneHotRows(one_hot, np.uint8)(obs)
    return np.ascontiguousarray(rows)
