"""Trajectories as `imitation` saves them: a folder of Hugging Face `datasets`, Arrow streams.

Its column `infos` holds pickles as JSON (jsonpickle) and is never read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.data.episodes import About, Episodes
from dagger_cli.data.extras import library


def read_imitation(path: Path) -> Episodes:
    """Reads the folder; raises ConfigError where it holds something else."""
    rows = _rows(path)
    if not rows:
        raise ConfigError(f"{path} has no trajectories")
    try:
        obs = [np.asarray(row["obs"]) for row in rows]
        acts = [np.asarray(row["acts"]) for row in rows]
        terminal = [bool(row["terminal"]) for row in rows]
    except (KeyError, TypeError, ValueError) as err:
        raise ConfigError(f"{path} has no trajectories of imitation ({err!r})") from err
    lengths = [len(part) for part in acts]
    if any(len(o) != n + 1 for o, n in zip(obs, lengths, strict=True)):
        raise ConfigError(f"{path}: a trajectory must have one more observation than actions")
    last = np.cumsum(lengths) - 1
    over = np.zeros(sum(lengths), bool)
    over[last] = terminal
    columns: dict[str, Any] = {
        "observation": _narrow(np.concatenate([part[:-1] for part in obs])),
        "expert_action": np.concatenate(acts),
        "episode": np.repeat(np.arange(len(rows)), lengths),
        "step": np.concatenate([np.arange(n) for n in lengths]),
        "action": np.concatenate(acts),
        "terminated": over,
    }
    if all(row.get("rews") is not None for row in rows):
        columns["reward"] = np.concatenate([np.asarray(row["rews"], np.float64) for row in rows])
    final = _narrow(np.stack([part[-1] for part in obs]))
    return Episodes(columns, About(source=str(path)), final, np.arange(len(rows)))


def _narrow(rows: Any) -> Any:
    """Returns float32 rows: through Arrow's lists all numbers became float64."""
    return rows.astype(np.float32) if rows.dtype == np.float64 else rows


def _rows(path: Path) -> list[dict[str, Any]]:
    pa = library("pyarrow", "data")
    rows: list[dict[str, Any]] = []
    for file in sorted(path.glob("*.arrow")):
        try:
            with pa.memory_map(str(file)) as source:
                table = pa.ipc.open_stream(source).read_all()
        except (OSError, pa.ArrowInvalid) as err:
            raise ConfigError(f"{file} is not a whole Arrow file ({err})") from err
        kept = [name for name in table.column_names if name != "infos"]
        rows += table.select(kept).to_pylist()
    return rows
