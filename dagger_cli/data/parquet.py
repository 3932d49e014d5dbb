"""Data sets as one .parquet file: a row for each step, arrays as flat lists.

The shapes of the lists are in the file's metadata. `final_observation` is set in the last row of an
episode, where it is known.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array
from dagger_cli.data.description import about_json, read_about
from dagger_cli.data.episodes import COLUMNS, Episodes
from dagger_cli.data.extras import library
from dagger_cli.utils.files import write_bytes

FINAL, ABOUT, SHAPES = "final_observation", b"dagger.about", b"dagger.shapes"


def arrow(rows: Array) -> Any:
    """Returns an Arrow array of rows (n, ...): numbers, texts, or flat lists of fixed length."""
    pa = library("pyarrow", "data")
    if rows.ndim == 1:
        return pa.array(rows.tolist() if rows.dtype.kind == "U" else rows)
    flat = np.ascontiguousarray(rows).reshape(len(rows), -1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), flat.shape[1])


def write_parquet(episodes: Episodes, path: Path) -> None:
    """Writes the file."""
    pa, pq = library("pyarrow", "data"), library("pyarrow.parquet", "data")
    columns = {name: arrow(column) for name, column in episodes.columns.items()}
    finals: list[Any] = [None] * len(episodes)
    last = dict(zip(episodes.columns["episode"].tolist(), range(len(episodes)), strict=True))
    ended = episodes.final_episode.tolist()
    for episode, obs in zip(ended, episodes.final_observation, strict=True):
        finals[last[episode]] = obs.ravel()
    numbers = pa.from_numpy_dtype(episodes.columns["observation"].dtype)
    columns[FINAL] = pa.array(finals, pa.list_(numbers))
    shapes = {name: column.shape[1:] for name, column in episodes.columns.items()}
    table = pa.table(columns).replace_schema_metadata(
        {ABOUT: json.dumps(about_json(episodes.about)), SHAPES: json.dumps(shapes)}
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    write_bytes(path, buffer.getvalue())


def read_table(path: Path) -> Any:
    """Reads a parquet file; raises ConfigError for anything else."""
    pa, pq = library("pyarrow", "data"), library("pyarrow.parquet", "data")
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as err:
        raise ConfigError(f"{path} is not a whole .parquet file ({err}): write it again") from err


def numpy_of(column: Any, shape: tuple[int, ...], where: str) -> Array:
    """Returns an Arrow column as rows (n, *shape); raises ConfigError where it does not fit."""
    pa = library("pyarrow", "data")
    joined = column.combine_chunks()
    n = len(joined)
    try:
        while pa.types.is_list(joined.type) or pa.types.is_fixed_size_list(joined.type):
            joined = joined.flatten()
        values = joined.to_numpy(zero_copy_only=False)
        numbers = values.astype("U") if values.dtype == object else values
        return np.asarray(numbers).reshape(n, *shape)
    except (ValueError, pa.ArrowInvalid) as err:
        raise ConfigError(f"{where} is not of one shape {shape} ({err})") from err


def read_parquet(path: Path) -> Episodes:
    """Reads a file that `write_parquet` wrote; raises ConfigError for anything else."""
    table = read_table(path)
    metadata = table.schema.metadata or {}
    if ABOUT not in metadata or SHAPES not in metadata:
        raise ConfigError(
            f"{path} was not written by dagger data export: save other tables as .npz with "
            "numpy.savez(FILE, obs=..., acts=..., episode=...)"
        )
    about = read_about(metadata[ABOUT].decode(), str(path))
    try:
        shapes = {str(k): tuple(map(int, v)) for k, v in json.loads(metadata[SHAPES]).items()}
    except (ValueError, TypeError, AttributeError) as err:
        raise ConfigError(f"{path} has no valid shapes ({err!r}): write it again") from err
    columns = {
        name: numpy_of(table[name], shapes.get(name, ()), f"{path}: '{name}'")
        for name in COLUMNS
        if name in table.column_names
    }
    finals = table[FINAL].to_pylist() if FINAL in table.column_names else []
    known = [i for i, row in enumerate(finals) if row is not None]
    obs = columns["observation"]
    final = np.asarray([finals[i] for i in known], obs.dtype).reshape(len(known), *obs.shape[1:])
    return Episodes(columns, about, final, columns["episode"][known].astype(np.int64))
