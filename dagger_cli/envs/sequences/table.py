"""Labelled sequences as arrays: the tokens of all sequences in one array."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array


@dataclass(frozen=True)
class Sequences:
    """W sequences of N tokens in total.

    `tokens` (N, d) holds each token's features, `labels` (N,) int64 its class; sequence i has the
    rows from `starts[i]` to `starts[i + 1]` (W + 1 numbers). `names` are the class names. `image`
    is (rows, columns) where the features are the pixels of an image.
    """

    tokens: Array
    labels: Array
    starts: Array
    names: tuple[str, ...]
    image: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        assert len(self.tokens) == len(self.labels) == self.starts[-1]
        assert (np.diff(self.starts) > 0).all(), "a sequence without tokens"
        assert self.labels.min() >= 0 and self.labels.max() < len(self.names)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Array:
        """Number of tokens of each sequence, (W,)."""
        return np.diff(self.starts)


@dataclass(frozen=True)
class Split:
    """Training, validation and test sequences: index arrays into one `Sequences`.

    Training and test are disjoint. Validation may be part of training (it then measures fit, not
    generalization) or the test itself (for learning curves; nothing may then be selected by it).
    """

    train: Array
    validation: Array
    test: Array

    def __post_init__(self) -> None:
        assert all(len(part) for part in (self.train, self.validation, self.test))
        assert not np.isin(self.test, self.train).any()


def validated_on_test(split: Split, validate_on_test: bool) -> Split:
    """Returns the split, with the test as validation if `validate_on_test`."""
    return replace(split, validation=split.test) if validate_on_test else split


def split_folds(folds: Array, fold: int, held_out: int) -> Split:
    """Splits by each sequence's fold (W,): `fold` is the test, the next `held_out` validation.

    Those are not trained on. With `held_out` 0, all other folds are for training, as in the papers,
    and validation uses the next fold, which is also trained on.
    """
    n = int(folds.max()) + 1
    if len(np.unique(folds)) < n or n < 2:
        raise ConfigError(f"there must be at least 2 folds, none of them empty, got {n}")
    if not 0 <= fold < n:
        raise ConfigError(f"env.fold must be from 0 to {n - 1}, got {fold}")
    if not 0 <= held_out <= n - 2:
        raise ConfigError(f"env.held_out must be from 0 to {n - 2}, got {held_out}")
    after = (folds - fold) % n  # 0 for the test fold, then counting on in a circle
    return Split(
        train=np.flatnonzero(after > held_out),
        validation=np.flatnonzero((after >= 1) & (after <= max(held_out, 1))),
        test=np.flatnonzero(after == 0),
    )
