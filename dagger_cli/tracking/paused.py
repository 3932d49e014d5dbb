"""Runs that paused before their first round was finished, and thus have no checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagger_cli.core.errors import CheckpointError
from dagger_cli.tracking.pointers import has_rounds
from dagger_cli.tracking.run_paths import CHECKPOINTS, CONFIG, QUESTIONS, round_name
from dagger_cli.utils.files import read_bytes

MAX_BYTES = 2**22


def paused_at_start(run: Path) -> bool:
    """Returns whether the folder has a config and open questions, but no round."""
    asked = asks_in(run, 1) and (run / CONFIG).is_file()
    return asked and not has_rounds(run / CHECKPOINTS)


def asks_in(run: Path, round: int) -> bool:
    """Returns whether the run has written questions for a round (from 1)."""
    return (run / QUESTIONS / round_name(round)).is_dir()


def read_config(path: Path) -> Mapping[str, Any]:
    """Returns a config that a run has saved, unchecked; CheckpointError where it is no mapping."""
    import yaml

    try:
        config = yaml.safe_load(read_bytes(path, MAX_BYTES))
    except (OSError, yaml.YAMLError, UnicodeDecodeError, RecursionError) as err:
        raise CheckpointError(f"{path} cannot be read: {err}") from err
    if not isinstance(config, dict):
        raise CheckpointError(f"{path} is no config of a run")
    return config
