"""Checks of the command line for errors that Hydra reports unclearly or with a traceback."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from hydra.core.override_parser.types import ChoiceSweep, Glob, Override, QuotedString

from dagger_cli.cli.command_line import CommandLine
from dagger_cli.cli.error_messages import nearest
from dagger_cli.config.options import GROUPS, options
from dagger_cli.core.errors import ConfigError
from dagger_cli.utils.short_names import SHORT
from dagger_cli.utils.terminal import printable

NUMBER = r"[-+.\deE]+"
FILES = ("json", "video", "path", "out")  # in a sweep all jobs would write the same file


def check(line: CommandLine) -> None:
    """Raises ConfigError for flags that exclude each other and values that name no option."""
    flags = line.flags
    if flags.experimental_rerun is not None:
        raise ConfigError("--experimental-rerun unpickles a file and is refused; use resume=...")
    if flags.resolve and not (flags.cfg or flags.help):
        raise ConfigError("--resolve goes with --cfg job, which shows the config: add it")
    if flags.cfg and line.text_of("resume") is not None:
        raise ConfigError("a resumed run keeps its own config: see config.yaml in its folder")
    for override in line.overrides:
        _check_override(override)
    if line.sweeps:
        _check_files(line)


def _check_override(override: Override) -> None:
    key, value = override.key_or_group, str(override.input_line).partition("=")[2]
    if key == "env.kwargs" and value.startswith("{"):
        raise ConfigError("env.kwargs takes its keys one by one: env.kwargs.NAME=VALUE")
    if not key:
        raise ConfigError(f"'{printable(str(override.input_line))}' has no key: write key=value")
    if key not in GROUPS and "/" not in key:
        return
    if override.is_delete():
        if value and not isinstance(override.value(), str):
            raise ConfigError(f"'~{key}={value}': write ~{key} alone, or the option's name")
        return
    for choice in value.split(",") if key in GROUPS else ():
        if re.fullmatch(rf"(null|true|false|{NUMBER})?", choice, re.I):
            _refuse_choice(key, choice)
    if not all(map(_is_name, _chosen(override))):
        raise ConfigError(f"{key}={printable(value)}: an option is chosen by its name")


def _chosen(override: Override) -> Sequence[Any]:
    """Returns the values that choose options of a group, of each job of a sweep."""
    value = override.value()
    if isinstance(value, ChoiceSweep):
        return value.list
    if isinstance(value, Glob):
        return ()
    return value if isinstance(value, list) else [value]


def _is_name(value: Any) -> bool:
    text = value.text if isinstance(value, QuotedString) else value
    return text is None or (isinstance(text, str) and "${" not in text)


def _refuse_choice(group: str, choice: str) -> NoReturn:
    short = next((short for short, name in SHORT.items() if name == group), group)
    if group == "beta_schedule" and re.fullmatch(NUMBER, choice):
        raise ConfigError(
            f"{short}={choice}: there is no such option; for the same beta in every round use "
            f"{short}=constant {short}.value={choice}"
        )
    if choice.lower() in ("", "null"):
        raise ConfigError(f"{short}={choice}: leave it out, or name one of its options")
    known = options()[group]
    raise ConfigError(
        f"{short}={choice}: there is no such option{nearest(choice, known)} ({', '.join(known)})"
    )


def _check_files(line: CommandLine) -> None:
    for key in FILES:
        value = line.text_of(key)
        if value is not None and "," not in value and "${" not in value:
            path = Path(value)
            own = path.with_name(f"{path.stem}_${{hydra:job.num}}{path.suffix}")
            raise ConfigError(
                f"{key}={value} would be written by every job of the sweep: give each its own, "
                f"{key}='{own}'"
            )
