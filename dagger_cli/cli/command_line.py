"""Command line, parsed once with Hydra's parsers."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override

from dagger_cli.cli.shorthands import expand
from dagger_cli.core.errors import ConfigError


@dataclass(frozen=True)
class CommandLine:
    """Command such as `train`, Hydra's flags, and the overrides with short names expanded.

    `parser` is Hydra's parser of `flags`.
    """

    command: str
    parser: argparse.ArgumentParser
    flags: argparse.Namespace
    overrides: tuple[Override, ...]

    @property
    def sweeps(self) -> bool:
        """Whether the flag --multirun is set."""
        return bool(self.flags.multirun)

    @property
    def keys(self) -> frozenset[str]:
        """Keys and groups that are set, without signs and packages."""
        return frozenset(override.key_or_group for override in self.overrides)

    @property
    def texts(self) -> list[str]:
        """Overrides as Hydra reads them."""
        return [str(override.input_line) for override in self.overrides]

    def text_of(self, key: str) -> str | None:
        """Returns what was typed for a key, without quotes; None where it is not set or null.

        A sweep's value is its whole text, such as `a,b`.
        """
        set_here = [o for o in self.overrides if o.key_or_group == key and not o.is_delete()]
        if not set_here:
            return None
        text = str(set_here[-1].input_line).partition("=")[2]
        if text in ("", "null"):
            return None
        value = None if set_here[-1].is_sweep_override() else set_here[-1].value()
        return value if isinstance(value, str) else text.strip("'\"")

    def plus(self, *texts: str) -> CommandLine:
        """Returns the line with more overrides in front, so that the user's own come after."""
        return replace(self, overrides=(*_parsed(texts), *self.overrides))

    def in_folder(self, run: Path) -> CommandLine:
        """Returns the line with Hydra's run folder set, for a run that is resumed."""
        if self.sweeps:
            raise ConfigError("resume= continues one run and cannot be combined with --multirun")
        return self.plus(f"hydra.run.dir='{quoted(str(run))}'")


def quoted(text: str) -> str:
    """Returns a text escaped for single quotes in Hydra's grammar."""
    # Backslashes are literal unless a quote follows.
    return re.sub(r"(\\*)('|$)", lambda m: m[1] * 2 + ("\\'" if m[2] else ""), text)


def parse(command: str, words: Sequence[str]) -> CommandLine:
    """Parses the words after a command, flags and overrides in any order.

    Raises ConfigError for unknown flags and for words that are not overrides.
    """
    parser = get_args_parser()

    def complain(message: str) -> NoReturn:
        raise ConfigError(f"{message}; see `dagger {command} --help`")

    parser.error = complain  # type: ignore[method-assign]
    flags = parser.parse_intermixed_args(list(words))
    texts = expand(flags.overrides)
    _must_be_overrides(command, texts)
    return CommandLine(command, parser, flags, _parsed(texts))


def _parsed(texts: Sequence[str]) -> tuple[Override, ...]:
    return tuple(OverridesParser.create().parse_overrides(list(texts)))


def _must_be_overrides(command: str, texts: Sequence[str]) -> None:
    for text in texts:
        if "=" in text or text.startswith("~"):
            continue
        takes_path = command in ("eval", "push", "export")
        hint = f"; did you mean checkpoint={text}?" if takes_path else ": give it a key"
        raise ConfigError(f"'{text}' is not key=value{hint}")


def arguments_of(line: CommandLine) -> Any:
    """Returns the line as Hydra's parser would have read it."""
    values = {**vars(line.flags), "overrides": line.texts}
    return argparse.Namespace(**values)
