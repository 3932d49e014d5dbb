"""The folder of a person's answers in a run: what remains, and is resumed, without a round."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagger_cli.core.errors import CheckpointError
from dagger_cli.tracking.paused import read_config
from dagger_cli.tracking.pointers import has_rounds
from dagger_cli.tracking.run_paths import CHECKPOINTS, CONFIG, HUMAN
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.files import write_text
from dagger_cli.utils.system import at_home


def has_answers(run: Path) -> bool:
    """Returns whether a person has answered in this run."""
    return (run / HUMAN / CONFIG).exists()


def write_answers_config(run: Path, text: str) -> None:
    """Writes the config with which the answers can be repeated; CheckpointError through a link."""
    if (run / HUMAN).is_symlink():
        raise CheckpointError(f"{run / HUMAN} is a symbolic link, which no run writes: remove it")
    with writing(run / HUMAN):
        (run / HUMAN).mkdir(exist_ok=True)
        write_text(run / HUMAN / CONFIG, text)


def unfinished_first_round(path: str | Path) -> Path | None:
    """Returns the run folder `path` where it has answers but no finished round, else None."""
    run = at_home(path)
    return run if has_answers(run) and not has_rounds(run / CHECKPOINTS) else None


def answers_config(run: Path) -> Mapping[str, Any]:
    """Reads the config of an unfinished first round; raises CheckpointError where it is damaged."""
    return read_config(run / HUMAN / CONFIG)
