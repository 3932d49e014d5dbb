"""Command line, parsed once with Hydra's parsers."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, NoReturn

from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dagger_cli.cli.as_typed import as_typed
from dagger_cli.cli.other_names import flag_hint, override_hint
from dagger_cli.cli.shorthands import expand
from dagger_cli.core.errors import ConfigError
from dagger_cli.utils.files import shown_path
from dagger_cli.utils.quoting import hydra_quoted


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
        return _resolved(value) if isinstance(value, str) else text.strip("'\"")

    def plus(self, *texts: str) -> CommandLine:
        """Returns the line with more overrides in front, so that the user's own come after."""
        return replace(self, overrides=(*_parsed(texts), *self.overrides))

    def without(self, *keys: str) -> CommandLine:
        """Returns the line without the overrides of these keys."""
        kept = tuple(one for one in self.overrides if one.key_or_group not in keys)
        return replace(self, overrides=kept)

    def in_folder(self, run: Path) -> CommandLine:
        """Returns the line with Hydra's run folder set, for a run that is resumed."""
        if self.sweeps:
            raise ConfigError(
                f"{shown_path(run)} is one run: resume it without --multirun; resume=<sweep> takes "
                "the folder of a sweep, with sweep.yaml in it"
            )
        if "hydra.run.dir" in self.keys:
            raise ConfigError(
                "a resumed run stays in its folder, so hydra.run.dir has no effect: leave it out, "
                "or copy the run (cp -a) and resume the copy"
            )
        return self.plus(f"hydra.run.dir={hydra_quoted(str(run))}")


def _resolved(text: str) -> str:
    """Returns a text with its interpolations resolved, unchanged where they need the config."""
    try:
        return str(OmegaConf.create({"text": text})["text"])
    except OmegaConfBaseException:
        return text


def parse(command: str, words: Sequence[str]) -> CommandLine:
    """Parses the words after a command, flags and overrides in any order.

    Raises ConfigError for unknown flags and for words that are not overrides.
    """
    parser = get_args_parser()

    def complain(message: str) -> NoReturn:
        hint = flag_hint(words) if "unrecognized" in message else None
        raise ConfigError(hint or f"{message}; see `dagger {command} --help`")

    parser.error = complain  # type: ignore[method-assign]
    flags = parser.parse_intermixed_args(list(words))
    texts = expand(flags.overrides)
    _must_be_overrides(command, texts)
    return CommandLine(command, parser, flags, _parsed(as_typed(texts, sweep=flags.multirun)))


def _parsed(texts: Sequence[str]) -> tuple[Override, ...]:
    try:
        return tuple(OverridesParser.create().parse_overrides(list(texts)))
    except (ValueError, RecursionError) as err:  # a number of 5,000 digits, 1,000 brackets
        longest = max(texts, key=len)
        raise ConfigError(f"'{longest[:40]}...' is too long or too deep to be a value") from err


def _must_be_overrides(command: str, texts: Sequence[str]) -> None:
    for text, after in zip_longest(texts, texts[1:], fillvalue=""):
        if text == "=" or (after.startswith("=") and "=" not in text):
            raise ConfigError("an override has no spaces around '=': write key=value")
        if "=" in text or text.startswith("~"):
            continue
        takes_path = command in ("eval", "push", "export")
        meant = f"checkpoint={text}" if takes_path else override_hint(text, after)
        hint = f"; did you mean {meant}?" if meant else ": give it a key"
        raise ConfigError(f"'{text}' is not key=value{hint}")


def arguments_of(line: CommandLine) -> Any:
    """Returns the line as Hydra's parser would have read it."""
    values = {**vars(line.flags), "overrides": line.texts}
    return argparse.Namespace(**values)
