"""Reading of data sets in the layout of LeRobot, codebase version v3.0 (lerobot_write.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array
from dagger_cli.data.episodes import About, Episodes, without_finals
from dagger_cli.data.extras import library
from dagger_cli.data.lerobot_video import read_video
from dagger_cli.data.lerobot_write import RENAMED, STATE
from dagger_cli.data.parquet import numpy_of
from dagger_cli.utils.files import read_bytes

MOST_BYTES = 2**24  # of info.json


def read_lerobot(path: Path) -> Episodes:
    """Reads a folder; raises ConfigError for another version and for features we cannot learn from.

    The observation is `observation.state`, or the only video where there is no state.
    """
    info = _info(path)
    table = _table(path)
    try:
        features, fps = dict(info["features"]), int(info["fps"])
        episode = numpy_of(table["episode_index"], (), str(path)).astype(np.int64)
        frame = numpy_of(table["frame_index"], (), str(path)).astype(np.int64)
        order = np.lexsort((frame, episode))
        columns = {"episode": episode[order], "step": frame[order]}
        for name, theirs in RENAMED.items():
            if theirs in table.column_names:
                columns[name] = _column(table, theirs, features, path)[order]
        if "expert_action" not in columns:
            raise ConfigError(f"{path} has no feature 'action'")
        columns["observation"] = _observations(path, table, features)[order]
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        raise ConfigError(f"{path} is not a whole data set of LeRobot ({err!r})") from err
    return without_finals(columns, About("", str(path), fps=fps))


def _info(path: Path) -> dict[str, Any]:
    try:
        info = json.loads(read_bytes(path / "meta" / "info.json", MOST_BYTES))
        version = str(info["codebase_version"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as err:
        raise ConfigError(f"{path}/meta/info.json is not LeRobot's ({err!r})") from err
    if not version.startswith("v3."):
        raise ConfigError(
            f"{path} has version {version} of LeRobot's layout, and v3 is read: convert it with "
            "lerobot.datasets.v30.convert_dataset_v21_to_v30"
        )
    return dict(info)


def _table(path: Path) -> Any:
    pa, pq = library("pyarrow", "data"), library("pyarrow.parquet", "data")
    files = sorted((path / "data").glob("chunk-*/file-*.parquet"))
    if not files:
        raise ConfigError(f"{path} has no frames: no data/chunk-000/file-000.parquet")
    try:
        return pa.concat_tables([pq.read_table(file) for file in files], promote_options="default")
    except (OSError, pa.ArrowInvalid) as err:
        raise ConfigError(f"{path}: its frames are not whole ({err})") from err


def _column(table: Any, name: str, features: dict[str, Any], path: Path) -> Array:
    shape = tuple(int(n) for n in features[name]["shape"])
    return numpy_of(table[name], () if shape == (1,) else shape, f"{path}: '{name}'")


def _observations(path: Path, table: Any, features: dict[str, Any]) -> Array:
    if STATE in table.column_names:
        rows = _column(table, STATE, features, path)
        return rows[:, None] if rows.ndim == 1 else rows
    videos = [name for name, node in features.items() if node["dtype"] == "video"]
    if len(videos) != 1:
        raise ConfigError(
            f"{path} has neither '{STATE}' nor exactly one video to learn from "
            f"({', '.join(videos) or 'none'})"
        )
    files = sorted((path / "videos" / videos[0]).glob("chunk-*/file-*.mp4"))
    if len(files) != 1:
        raise ConfigError(f"{path} has {len(files)} video files, and one is read")
    frames = read_video(files[0], *(int(n) for n in features[videos[0]]["shape"][:2]))
    if len(frames) != table.num_rows:
        raise ConfigError(f"{path}: its video has {len(frames)} of {table.num_rows} frames")
    return frames
