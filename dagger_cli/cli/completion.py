"""Shell completion: adds this program's commands and short names to Hydra's completion."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Sequence

from omegaconf import DictConfig

from dagger_cli.cli.command_line import parse
from dagger_cli.cli.hydra_app import hand_over
from dagger_cli.cli.shorthands import expand
from dagger_cli.config.options import COMMANDS, FOLDER_COMMANDS
from dagger_cli.utils.short_names import SHORT


def complete(words: Sequence[str]) -> None:
    """Prints the words that may follow, for Hydra's completion scripts."""
    if "query" not in " ".join(words):
        flags = [word for word in words if word not in " ".join(COMMANDS).split()]
        hand_over(parse("train", flags), _nothing)
        return
    line = os.environ.get("COMP_LINE", "")
    program, _, rest = line.partition(" ")
    rest = rest.lstrip()
    command = next((name for name in COMMANDS if rest.startswith(f"{name} ")), None)
    if command is None:
        print(" ".join(_next_words(rest.split(" ")[:-1])))
        return
    if command in FOLDER_COMMANDS:
        return  # the shell completes paths
    overrides = rest.removeprefix(f"{command} ")
    *before, last = overrides.split(" ")
    long = expand([last])[0]
    os.environ["COMP_LINE"] = " ".join([program, *expand(before), long])
    answer = io.StringIO()
    with contextlib.redirect_stdout(answer):
        hand_over(parse(command, words), _nothing)
    short = next((s for s in SHORT if last.startswith((f"{s}=", f"{s}."))), None)
    print(answer.getvalue().replace(SHORT[short], short) if short else answer.getvalue(), end="")


def _next_words(before: Sequence[str]) -> list[str]:
    """Returns the command words that may follow these."""
    parts = [name.split(" ") for name in COMMANDS]
    n = len(before)
    return list(dict.fromkeys(p[n] for p in parts if len(p) > n and p[:n] == list(before)))


def _nothing(cfg: DictConfig) -> None:
    """Does nothing: completion composes configs but runs no job."""
