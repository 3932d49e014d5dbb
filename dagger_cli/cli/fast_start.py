"""Patch that keeps Hydra from composing the config twice; results are the same without it.

Two calls of `gc` in main.py also shorten start and exit; they must precede the import of Hydra.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from dagger_cli.cli.command_line import CommandLine
from dagger_cli.config.options import GLOBAL, config_dir, sweeps_by_itself


@contextlib.contextmanager
def composed_once(line: CommandLine) -> Iterator[None]:
    """Skips Hydra's first composition, which only reads `hydra.mode`."""
    from hydra._internal.hydra import Hydra

    if may_set_mode(line):
        yield
        return
    kept = Hydra.get_mode
    Hydra.get_mode = _no_mode  # type: ignore[method-assign]
    try:
        yield
    finally:
        Hydra.get_mode = kept  # type: ignore[method-assign]


def may_set_mode(line: CommandLine) -> bool:
    """Returns whether an override, experiment or other config folder may set `hydra.mode`."""
    for group in GLOBAL:
        option = line.text_of(group)
        if option is not None:
            ships = (config_dir() / group / f"{option}.yaml").is_file()
            if not ships or sweeps_by_itself(group, option):
                return True
    elsewhere = (line.flags.config_dir, line.flags.config_name, line.flags.config_path)
    return any(elsewhere) or bool({"hydra.mode", "hydra.searchpath"} & line.keys)


def _no_mode(*args: Any, **kwargs: Any) -> None:
    """Returns None, which leaves the mode to the flag `--multirun`."""
