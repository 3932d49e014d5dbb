"""Answers to states in files: checked, kept by name, and combined."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.policies import distance
from dagger_cli.core.types import Array, Labels, Space
from dagger_cli.data.fitting import actions_of
from dagger_cli.data.npz import load_arrays
from dagger_cli.data.questions import ANSWERS, Questions
from dagger_cli.utils.files import read_bytes, write_bytes

MOST_BYTES = 2**30
_NAME = re.compile(r"[\w-][\w.-]{0,63}")


@dataclass(frozen=True)
class Answers:
    """The answers of one person or program: `rows` (k,) in order, `actions` (k, *action_shape)."""

    rows: Array
    actions: Array


def read_answers(path: Path, questions: Questions) -> Answers:
    """Reads a file of answers; raises ConfigError where it is not whole or answers other states.

    Raises it too for an answer outside the action space, and for two answers to one row.
    """
    columns = _columns(path)
    for name in ("row", "state"):
        if name not in columns:
            raise ConfigError(f"{path} has no column '{name}'{_has(columns)}: copy it from states")
    rows = _rows(columns["row"], len(questions.states), path)
    given = columns["state"].astype("U")
    other = np.flatnonzero(given != questions.states[rows])
    if other.size:
        raise ConfigError(
            f"{path} answers another state in row {rows[other[0]]} ({given[other[0]]}, but round "
            f"{questions.round} asks for {questions.states[rows[other[0]]]}): answer the states in "
            f"{questions.folder}"
        )
    actions = actions_of(
        _actions(columns, questions.action_space, path), questions.action_space, str(path)
    )
    order = np.argsort(rows)
    return Answers(rows[order], actions[order])


def _rows(numbers: Array, n: int, path: Path) -> Array:
    if not len(numbers):
        raise ConfigError(f"{path} has no answers")
    whole = numbers.astype(np.float64)
    wrong = (whole != np.rint(whole)) | (whole < 0) | (whole >= n)
    if wrong.any():
        first = numbers[wrong][0]
        raise ConfigError(f"{path} answers row {first:g}, but there are rows 0 to {n - 1}")
    rows = whole.astype(np.int64)
    found, counts = np.unique(rows, return_counts=True)
    if (counts > 1).any():
        raise ConfigError(f"{path} answers row {found[counts > 1][0]} twice: leave one of them out")
    return rows


def _actions(columns: Mapping[str, Array], space: Space, path: Path) -> Array:
    n, size = len(columns["row"]), space.size
    if f"action_{size}" in columns:
        raise ConfigError(
            f"{path} has a column 'action_{size}', but actions have {size} "
            f"{'number' if size == 1 else 'numbers'}: leave it out"
        )
    parts = [columns.get(f"action_{i}") for i in range(size)]
    try:
        if "action" in columns:
            return columns["action"].reshape(n, *space.shape)
        if all(part is not None for part in parts):
            numbers = np.stack([np.asarray(part, np.float64) for part in parts], axis=1)
            return numbers.reshape(n, *space.shape)
    except ValueError as err:
        raise ConfigError(f"{path}: 'action' is not of the shape {(n, *space.shape)}") from err
    wanted = "'action'" if size == 1 else f"'action_0' to 'action_{size - 1}'"
    raise ConfigError(f"{path} has no column {wanted}{_has(columns)}")


def _has(columns: Mapping[str, Array]) -> str:
    """Returns the names of a file's columns, for a sentence."""
    return f" (it has {', '.join(columns) or 'none'})"


def _columns(path: Path) -> dict[str, Array]:
    if not path.is_file():
        raise ConfigError(f"there is no file of answers at {path}")
    if path.suffix == ".npz":
        return load_arrays(path)
    if path.suffix == ".parquet":
        from dagger_cli.data.parquet import read_table

        table = read_table(path)
        return {name: np.asarray(table[name].to_pylist()) for name in table.column_names}
    if path.suffix == ".csv":
        return _csv(path)
    raise ConfigError(f"{path} is neither .csv nor .npz nor .parquet: save the answers as one")


def _csv(path: Path) -> dict[str, Array]:
    try:
        text = read_bytes(path, MOST_BYTES).decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text)))
    except (OSError, UnicodeDecodeError, csv.Error) as err:
        raise ConfigError(f"{path} is not a table of text ({err})") from err
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise ConfigError(f"{path} is empty")
    names = [name.strip() for name in rows[0]]
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(names):
            raise ConfigError(f"{path} ends in the middle of line {number}: write it again")
    if len(rows) == 1:
        raise ConfigError(f"{path} has no answers")
    columns = dict(zip(names, zip(*rows[1:], strict=True), strict=False))
    return {name: _numbers(name, cells, path) for name, cells in columns.items()}


def _numbers(name: str, cells: tuple[str, ...], path: Path) -> Array:
    """Returns the numbers of a column, the texts of one that is not read as numbers."""
    if name != "row" and not name.startswith("action"):
        return np.asarray([cell.strip() for cell in cells])
    try:
        return np.asarray([float(cell) for cell in cells])
    except ValueError as err:
        raise ConfigError(f"{path}: '{name}' has something that is no number ({err})") from err


def take_answers(questions: Questions, answers: Answers, by: str) -> Answers:
    """Adds the answers to those of the same name, and returns all of that name.

    Raises ConfigError for a name that is no file name.
    """
    if not _NAME.fullmatch(by):
        raise ConfigError(f"by={by} must be a name of letters, digits, dots and dashes: by=anna")
    path = questions.folder / ANSWERS / f"{by}.npz"
    if path.exists():
        before = read_answers(path, questions)
        kept = ~np.isin(before.rows, answers.rows)
        rows = np.concatenate([before.rows[kept], answers.rows])
        actions = np.concatenate([before.actions[kept], answers.actions])
        order = np.argsort(rows)
        answers = Answers(rows[order], actions[order])
    buffer = io.BytesIO()
    np.savez(buffer, row=answers.rows, state=questions.states[answers.rows], action=answers.actions)
    path.parent.mkdir(exist_ok=True)
    write_bytes(path, buffer.getvalue())
    return answers


def all_answers(questions: Questions) -> dict[str, Answers]:
    """Returns the answers by name, in the order of the names."""
    files = sorted((questions.folder / ANSWERS).glob("[!.]*.npz"))
    return {file.stem: read_answers(file, questions) for file in files}


def combined(questions: Questions, by_name: Mapping[str, Answers]) -> Labels:
    """Returns one label for each row that has an answer.

    Of several answers to a row: in a box their mean, else the most frequent one, among equally
    frequent ones that of the first name in alphabetical order.
    """
    space, n = questions.action_space, len(questions.states)
    labels = np.zeros((n, *space.shape), np.dtype(space.dtype))
    if space.kind != "box":
        labels += np.asarray(space.start, labels.dtype)
    known = np.zeros(n, bool)
    for answers in by_name.values():
        known[answers.rows] = True
    votes = _stacked(by_name, n, space)
    for row in np.flatnonzero(known):
        given = [actions[row] for actions, has in votes if has[row]]
        labels[row] = _one_of(np.stack(given), space)
    return Labels(labels, known)


def _stacked(by_name: Mapping[str, Answers], n: int, space: Space) -> list[tuple[Array, Array]]:
    """Returns each person's actions (n, *shape) and where there are any (n,) bool."""
    found = []
    for answers in by_name.values():
        actions, has = np.zeros((n, *space.shape), space.dtype), np.zeros(n, bool)
        actions[answers.rows], has[answers.rows] = answers.actions, True
        found.append((actions, has))
    return found


def _one_of(given: Array, space: Space) -> Array:
    """Returns the label of one row from its answers (k, *shape)."""
    if len(given) == 1:
        return np.asarray(given[0])
    if space.kind == "box":
        return space.cast(given.astype(np.float64).mean(0))
    flat = given.reshape(len(given), -1)
    votes = [(flat == answer).all(1).sum() for answer in flat]
    return np.asarray(given[int(np.argmax(votes))])


def agreement(questions: Questions, by_name: Mapping[str, Answers]) -> tuple[float, int] | None:
    """Returns the mean agreement of pairs, 1 - distance, and the number of rows; None without."""
    gaps = []
    for one, other in combinations(by_name.values(), 2):
        _, mine, theirs = np.intersect1d(one.rows, other.rows, return_indices=True)
        if len(mine):
            pair = one.actions[mine], other.actions[theirs]
            gaps.append(distance(questions.action_space, *pair))
    if not gaps:
        return None
    whole = np.concatenate(gaps)
    return float(1 - whole.mean()), len(whole)
