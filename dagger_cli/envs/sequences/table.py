"""Labelled sequences as arrays: the tokens of all sequences one after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array


@dataclass(frozen=True)
class Sequences:
    """W sequences of N tokens in all.

    `tokens` (N, d) holds each token's features, `labels` (N,) int64 its class; sequence i owns the
    rows from `starts[i]` up to `starts[i + 1]` (W + 1 numbers). `names` says what the classes are
    called. `image` is (rows, columns) where the features are the pixels of an image.
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
        """(W,) tokens of each sequence."""
        return np.diff(self.starts)


@dataclass(frozen=True)
class Split:
    """Which sequences are for what: index arrays into one `Sequences`.

    Training and test share none. Validation may be part of training (then it measures fit, not
    generalisation) or the test itself (to draw curves of it; then nothing may be chosen by it).
    """

    train: Array
    validation: Array
    test: Array

    def __post_init__(self) -> None:
        assert all(len(part) for part in (self.train, self.validation, self.test))
        assert not np.isin(self.test, self.train).any()


def watching(split: Split, validate_on_test: bool) -> Split:
    """The same with the test in the place of validation, where that is wanted."""
    return replace(split, validation=split.test) if validate_on_test else split


def split_folds(folds: Array, fold: int, held_out: int) -> Split:
    """By each sequence's fold (W,): `fold` is the test, the `held_out` folds after it validate.

    Those are not trained on. With 0 of them all other folds are, as in the papers, and validation
    looks at the next fold, which training sees too.
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
