"""Sequence-labelling data in a file of one JSON object per line.

    {"tokens": [[0, 1, 0.5], [1, 0, 0]], "labels": ["NOUN", "VERB"], "split": "train"}

`tokens` are feature vectors of one length, `labels` strings or whole numbers, one per token. The
split is given in one of three ways, the same for the whole file: `split` (train, validation or
test), `fold` (a whole number from 0; `env.fold` is the test), or nothing (line i, from 0, belongs
to fold i mod 10).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dagger_cli.core.errors import ConfigError, EnvError
from dagger_cli.core.types import Array
from dagger_cli.envs.sequences.env import ObservationConfig
from dagger_cli.envs.sequences.source import SequenceSource
from dagger_cli.envs.sequences.table import Sequences, Split, split_folds, validated_on_test
from dagger_cli.utils.files import read_bytes
from dagger_cli.utils.system import at_home

PARTS = ("train", "validation", "test")
FOLDS = 10  # without "split" and "fold"
MOST_FOLDS = 10_000
MAX_BYTES = 2**31


def sequence(
    *,
    id: str,
    data: str,
    fold: int,
    held_out: int,
    validate_on_test: bool,
    history: int,
    before: int,
    after: int,
) -> SequenceSource:
    """Creates the source of `env=sequence`.

    `fold` and `held_out` are as in `split_folds`, `validate_on_test` as in `validated_on_test`.
    """
    config = ObservationConfig(history, before, after)
    sequences, split = read_sequences(at_home(data), fold, held_out)
    return SequenceSource(id, sequences, validated_on_test(split, validate_on_test), config)


def read_sequences(path: Path, fold: int, held_out: int) -> tuple[Sequences, Split]:
    """Reads the file; raises EnvError with the line, ConfigError for a fold that does not exist."""
    lines = list(_lines(path))
    if not lines:
        raise EnvError(f"env.data={path} is empty: it needs one JSON object per line")
    lengths = [len(line.labels) for line in lines]
    tokens = np.concatenate([line.tokens for line in lines])
    if np.isin(tokens, (0, 1)).all():
        tokens = tokens.astype(np.uint8)
    kinds = {type(label) for line in lines for label in line.labels}
    if len(kinds) > 1:
        raise EnvError(f"env.data={path}: labels must be all strings or all whole numbers")
    classes = sorted({label for line in lines for label in line.labels})
    if len(classes) < 2:
        raise EnvError(f"env.data={path}: all labels are {classes[0]!r}; there is nothing to learn")
    number = {label: i for i, label in enumerate(classes)}
    labels = np.array([number[label] for line in lines for label in line.labels], np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    sequences = Sequences(tokens, labels, starts, tuple(map(str, classes)))
    return sequences, _split(path, lines, fold, held_out)


class _Line(NamedTuple):
    tokens: Array
    labels: list[Any]
    part: str | int | None


def _lines(path: Path) -> Iterator[_Line]:
    try:
        text = read_bytes(path, MAX_BYTES).decode("utf-8-sig")  # a byte order mark is ignored
    except OSError as err:
        raise EnvError(
            f"env.data={path}: cannot be read ({err.strerror}); give the path of a .jsonl file"
        ) from err
    except UnicodeDecodeError as err:
        raise EnvError(f"env.data={path} is not a text file in UTF-8") from err
    features: int | None = None
    for number, written in enumerate(text.splitlines(), 1):
        if not written.strip():
            continue
        try:
            line = _line(written, features)
        except ValueError as err:
            raise EnvError(f"env.data={path}, line {number}: {err}") from err
        features = line.tokens.shape[1]
        yield line


def _line(written: str, features: int | None) -> _Line:
    """Parses a line; raises ValueError with the reason."""
    try:
        value = json.loads(written)
    except json.JSONDecodeError as err:
        raise ValueError(f"not JSON ({err})") from err
    except (ValueError, RecursionError) as err:
        raise ValueError("numbers too long or brackets too deep to be data") from err
    if not isinstance(value, dict) or not {"tokens", "labels"} <= set(value):
        raise ValueError('not an object with "tokens" and "labels"')
    unknown = set(value) - {"tokens", "labels", "split", "fold"}
    if unknown or {"split", "fold"} <= set(value):
        raise ValueError(f'besides those only "split" or "fold" is allowed, got {sorted(value)}')
    labels = value["labels"]
    if not isinstance(labels, list) or not all(type(label) in (str, int) for label in labels):
        raise ValueError("labels must be strings or whole numbers")
    tokens = _features(value["tokens"])
    if len(tokens) != len(labels):
        raise ValueError(f"{len(tokens)} tokens but {len(labels)} labels")
    if features is not None and tokens.shape[1] != features:
        raise ValueError(f"{tokens.shape[1]} features per token, but {features} in earlier lines")
    return _Line(tokens, labels, _part(value))


def _features(tokens: Any) -> Array:
    """Returns features, (n, d) float32; raises ValueError for values float32 cannot represent."""
    wrong = ValueError("tokens must be lists of finite numbers, all of one length")
    if not isinstance(tokens, list) or not all(isinstance(token, list) for token in tokens):
        raise wrong
    kinds = {type(number) for token in tokens for number in token}
    if len({len(token) for token in tokens}) != 1 or not kinds or not kinds <= {int, float}:
        raise wrong
    with np.errstate(over="ignore"):
        try:
            features = np.array(tokens, np.float64).astype(np.float32)
        except OverflowError:
            raise wrong from None
    if not np.isfinite(features).all():
        raise wrong
    return features


def _part(value: dict[str, Any]) -> str | int | None:
    part: str | int | None = value.get("split", value.get("fold"))
    if "split" in value and part not in PARTS:
        raise ValueError(f"split must be one of {', '.join(PARTS)}, got {part!r}")
    if "fold" in value and (type(part) is not int or not 0 <= part < MOST_FOLDS):
        raise ValueError(f"fold must be a whole number from 0 to {MOST_FOLDS - 1}, got {part!r}")
    return part


def _split(path: Path, lines: list[_Line], fold: int, held_out: int) -> Split:
    kinds = {type(line.part) for line in lines}
    if len(kinds) > 1:
        raise EnvError(f'env.data={path}: "split" or "fold" must be in every line, or in none')
    if kinds != {str}:
        folds = [i % FOLDS if line.part is None else line.part for i, line in enumerate(lines)]
        return split_folds(np.array(folds, np.int64), fold, held_out)
    if fold or held_out:
        raise ConfigError(
            f'env.fold and env.held_out have no effect: env.data={path} has "split" in its lines'
        )
    train, validation, test = (
        np.flatnonzero([line.part == part for line in lines]) for part in PARTS
    )
    if not len(train) or not len(test):
        raise EnvError(f'env.data={path} needs lines of "split" train and of "split" test')
    return Split(train, validation if len(validation) else train, test)
