"""Words that Hydra would answer with a traceback or a riddle, refused in a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from hydra._internal.utils import get_args_parser

from dagger_cli.cli.error_messages import nearest
from dagger_cli.cli.shorthands import SHORT, value_of
from dagger_cli.config.options import GROUPS, options
from dagger_cli.core.errors import ConfigError

TAKES_A_CHECKPOINT = ("eval", "push", "export")
NUMBER = r"[-+.\deE]+"
FILES = ("json", "video", "path", "out")  # one of them for all jobs would be written by each


def check(command: str, words: Sequence[str]) -> None:
    """Raises ConfigError; `words` are those after the command, with the config's own names."""
    parser = get_args_parser()

    def complain(message: str) -> NoReturn:
        raise ConfigError(f"{message}; see `dagger {command} --help`")

    parser.error = complain  # type: ignore[method-assign]
    given = parser.parse_args(list(words))
    if given.experimental_rerun is not None:
        raise ConfigError("--experimental-rerun unpickles a file and is refused; use resume=...")
    if given.resolve and not (given.cfg or given.help):
        raise ConfigError("--resolve goes with --cfg job, which shows the config: add it")
    if given.cfg and value_of(words, "resume") is not None:
        raise ConfigError("a resumed run keeps its own config: see config.yaml in its folder")
    for word in given.overrides:
        _check_override(command, word)
    if given.multirun:
        _check_files(words)


def _check_override(command: str, word: str) -> None:
    key, equals, value = word.partition("=")
    if not equals and not word.startswith("~"):
        checkpoint = f"; did you mean checkpoint={word}?" if command in TAKES_A_CHECKPOINT else ""
        raise ConfigError(f"'{word}' is not key=value{checkpoint or ': give it a key'}")
    key = key.lstrip("+")
    if key == "env.kwargs" and value.startswith("{"):
        raise ConfigError("env.kwargs takes its keys one by one: env.kwargs.NAME=VALUE")
    group = key.partition("@")[0]
    for choice in value.split(",") if group in GROUPS else ():
        if re.fullmatch(rf"(null|true|false|{NUMBER})?", choice, re.I):
            _refuse_choice(group, choice)


def _refuse_choice(group: str, choice: str) -> NoReturn:
    short = next((short for short, name in SHORT.items() if name == group), group)
    if group == "beta_schedule" and re.fullmatch(NUMBER, choice):
        raise ConfigError(
            f"{short}={choice}: there is no such option; for the same share in every round say "
            f"{short}=constant {short}.value={choice}"
        )
    if choice.lower() in ("", "null"):
        raise ConfigError(f"{short}={choice}: leave it out, or name one of its options")
    known = options()[group]
    raise ConfigError(
        f"{short}={choice}: there is no such option{nearest(choice, known)} ({', '.join(known)})"
    )


def _check_files(words: Sequence[str]) -> None:
    for key in FILES:
        value = value_of(words, key)
        if value is not None and "," not in value and "${" not in value:
            path = Path(value)
            own = path.with_name(f"{path.stem}_${{hydra:job.num}}{path.suffix}")
            raise ConfigError(
                f"{key}={value} would be written by every job of the sweep: give each its own, "
                f"{key}='{own}'"
            )
