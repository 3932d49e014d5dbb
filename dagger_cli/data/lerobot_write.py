"""Data sets in the layout of LeRobot, codebase version v3.0, written without its package.

meta/info.json                                 features, numbers of episodes and frames, paths
meta/stats.json                                min, max, mean, std and count of every feature
meta/tasks.parquet                             a table of pandas: index task, column task_index
meta/episodes/chunk-000/file-000.parquet       a row for each episode: where its frames are
data/chunk-000/file-000.parquet                a row for each frame
videos/observation.images.view/chunk-000/file-000.mp4     pictures, episode after episode

`action` is the expert's action, the label; what was executed is `executed_action`. A feature of
shape [1] is a plain column. The package itself pins an older torch, so tests compare with
tests/data/lerobot_layout.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.data.episodes import Episodes
from dagger_cli.data.extras import library
from dagger_cli.data.lerobot_video import as_frames, picture_stats, write_video
from dagger_cli.data.parquet import arrow
from dagger_cli.utils.files import new_folder, write_json

VERSION = "v3.0"
CHUNK = "chunk-{chunk_index:03d}/file-{file_index:03d}"
STATE, VIDEO = "observation.state", "observation.images.view"
RENAMED = {
    "expert_action": "action",
    "action": "executed_action",
    "reward": "next.reward",
    "success": "next.success",
    "terminated": "next.terminated",
    "truncated": "next.truncated",
    "failed": "next.failed",
    "from_expert": "from_expert",
    "round": "round",
    "beta": "beta",
}


def write_lerobot(episodes: Episodes, path: Path) -> None:
    """Writes the folder."""
    frames = as_frames(episodes.columns["observation"])
    features = _features(episodes, pictures=frames is not None)
    with new_folder(path) as folder:
        (folder / "meta" / "episodes" / "chunk-000").mkdir(parents=True)
        (folder / "data" / "chunk-000").mkdir(parents=True)
        _write_table(folder / "data" / "chunk-000" / "file-000.parquet", features)
        stats = {name: _stats(rows) for name, rows in features.items()}
        if frames is not None:
            stats[VIDEO] = picture_stats(frames)
            write_video(folder / "videos" / VIDEO / "chunk-000", frames, episodes.about.fps)
        write_json(folder / "meta" / "stats.json", stats)
        _write_tasks(folder / "meta" / "tasks.parquet", _task(episodes))
        _write_episodes(folder, episodes, features, frames)
        write_json(folder / "meta" / "info.json", _info(episodes, features, frames))


def _task(episodes: Episodes) -> str:
    return episodes.about.env_id or "imitate"


def _features(episodes: Episodes, *, pictures: bool) -> dict[str, Array]:
    """Returns the columns of the frames, (N,) or (N, size) each."""
    columns, n = episodes.columns, len(episodes)
    found: dict[str, Array] = {}
    if not pictures:
        found[STATE] = columns["observation"].reshape(n, -1).astype(np.float32)
    for name, theirs in RENAMED.items():
        if name in columns and not _unknown(columns[name]):
            found[theirs] = _plain(columns[name])
    if {"terminated", "truncated"} <= columns.keys():
        found["next.done"] = columns["terminated"] | columns["truncated"]
    first = episodes.starts[:-1]
    lengths = np.diff(episodes.starts)
    # Frames are numbered in the data set, also where an episode lacks some of its steps.
    frame = np.arange(n) - np.repeat(first, lengths)
    found["timestamp"] = (frame / episodes.about.fps).astype(np.float32)
    found["frame_index"] = frame.astype(np.int64)
    found["episode_index"] = np.repeat(np.arange(len(first)), lengths).astype(np.int64)
    found["index"] = np.arange(n, dtype=np.int64)
    found["task_index"] = np.zeros(n, np.int64)
    return found


def _unknown(rows: Array) -> bool:
    """Returns whether there are nans, as for beta in trainers without one."""
    return rows.dtype.kind == "f" and bool(np.isnan(rows).any())


def _plain(rows: Array) -> Array:
    """Returns rows (n, size), or (n,) where the size is 1; real numbers as float32."""
    flat = rows.reshape(len(rows), -1)
    numbers = flat.astype(np.float32) if flat.dtype.kind == "f" else flat
    return numbers[:, 0] if numbers.shape[1] == 1 else numbers


def _write_table(path: Path, columns: Mapping[str, Array], metadata: Any = None) -> None:
    pa, pq = library("pyarrow", "data"), library("pyarrow.parquet", "data")
    table = pa.table({name: arrow(rows) for name, rows in columns.items()})
    pq.write_table(table.replace_schema_metadata(metadata), path)


def _write_tasks(path: Path, task: str) -> None:
    """Writes the table as pandas does, with the task as its index."""
    types = (("task_index", "int64", "int64"), ("task", "unicode", "object"))
    described = {
        "index_columns": ["task"],
        "column_indexes": [],
        "columns": [
            {"name": n, "field_name": n, "pandas_type": p, "numpy_type": t, "metadata": None}
            for n, p, t in types
        ],
        "creator": {"library": "dagger-cli", "version": "1"},
        "pandas_version": "2.0.0",
    }
    columns = {"task_index": np.zeros(1, np.int64), "task": np.array([task])}
    _write_table(path, columns, {b"pandas": json.dumps(described)})


def _write_episodes(
    folder: Path, episodes: Episodes, features: Mapping[str, Array], frames: Array | None
) -> None:
    pa, pq = library("pyarrow", "data"), library("pyarrow.parquet", "data")
    rows = []
    for i, (start, end) in enumerate(zip(episodes.starts, episodes.starts[1:], strict=False)):
        here = slice(int(start), int(end))
        row: dict[str, Any] = {
            "episode_index": i,
            "tasks": [_task(episodes)],
            "length": int(end - start),
            "data/chunk_index": 0,
            "data/file_index": 0,
            "dataset_from_index": int(start),
            "dataset_to_index": int(end),
            "meta/episodes/chunk_index": 0,
            "meta/episodes/file_index": 0,
        }
        stats = {name: _stats(column[here]) for name, column in features.items()}
        if frames is not None:
            stats[VIDEO] = picture_stats(frames[here])
            row[f"videos/{VIDEO}/chunk_index"] = 0
            row[f"videos/{VIDEO}/file_index"] = 0
            row[f"videos/{VIDEO}/from_timestamp"] = float(start / episodes.about.fps)
            row[f"videos/{VIDEO}/to_timestamp"] = float(end / episodes.about.fps)
        for name, values in stats.items():
            row |= {f"stats/{name}/{stat}": numbers for stat, numbers in values.items()}
        rows.append(row)
    path = folder / "meta" / "episodes" / "chunk-000" / "file-000.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)


def _stats(rows: Array) -> dict[str, Any]:
    """Returns the statistics of (n,) or (n, size) numbers, as lists of `size`."""
    flat = rows.reshape(len(rows), -1).astype(np.float64)
    known = {"min": flat.min(0), "max": flat.max(0), "mean": flat.mean(0), "std": flat.std(0)}
    return {**{name: value.tolist() for name, value in known.items()}, "count": [len(rows)]}


def _info(
    episodes: Episodes, features: Mapping[str, Array], frames: Array | None
) -> dict[str, Any]:
    described = {
        name: {"dtype": rows.dtype.name, "shape": list(rows.shape[1:]) or [1], "names": None}
        for name, rows in features.items()
    }
    if frames is not None:
        described[VIDEO] = _of_video(frames, episodes.about.fps)
    return {
        "codebase_version": VERSION,
        "robot_type": None,
        "total_episodes": episodes.n_episodes,
        "total_frames": len(episodes),
        "total_tasks": 1,
        "chunks_size": 1000,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": episodes.about.fps,
        "splits": {"train": f"0:{episodes.n_episodes}"},
        "data_path": f"data/{CHUNK}.parquet",
        "video_path": f"videos/{{video_key}}/{CHUNK}.mp4" if frames is not None else None,
        "features": described,
    }


def _of_video(frames: Array, fps: int) -> dict[str, Any]:
    return {
        "dtype": "video",
        "shape": list(frames.shape[1:]),
        "names": ["height", "width", "channels"],
        "info": {
            "video.height": frames.shape[1],
            "video.width": frames.shape[2],
            "video.codec": "h264",
            "video.fps": fps,
            "video.channels": 3,
            "has_audio": False,
        },
    }
