"""Command lines of the sweeps that a report is on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from dagger_cli.core.errors import CheckpointError
from dagger_cli.sweeps.sweep_file import read_words
from dagger_cli.tracking.run_paths import SWEEP
from dagger_cli.utils.quoting import shell_joined

_MOST = 10  # sweeps that are shown


def started_with(folders: Sequence[Path]) -> tuple[str, ...]:
    """Returns the command of each sweep among the folders, or directly in one of them."""
    inner = [entry for folder in folders for entry in sorted(folder.iterdir()) if entry.is_dir()]
    lines: list[str] = []
    for folder in (*folders, *inner):
        with suppress(CheckpointError):
            if (folder / SWEEP).exists():
                lines.append(shell_joined(["dagger", "train", "-m", *read_words(folder)]))
    return tuple(lines[:_MOST])
