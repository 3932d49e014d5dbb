"""What the command line means before Hydra reads it: short names, and where a resumed run lives.

Shells leave the tilde of `key=~/path` alone and Hydra has another use for it, so it is home here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from dagger_cli.core.errors import ConfigError

# The group is called beta_schedule and people type beta; `import` cannot be a Python name.
SHORT = {"beta": "beta_schedule", "env.import": "env.imports"}
_OPEN = "env.kwargs."  # may have any keys, and Hydra wants them to be added
_HOME = re.compile(r"(?<=[=,])(['\"]?)~(?=/)")
_WORD = re.compile(r"(?P<sign>[+~]{0,2})(?P<key>[\w./@]+)(?P<rest>(=.*)?)", re.S)


def expand(words: Sequence[str]) -> list[str]:
    """Replace short names by the config's own, with any sign before them and any value after."""
    return [_at_home(_expand(word)) for word in words]


def shorten(word: str) -> str:
    """What users type for a word of the config's own."""
    for short, name in SHORT.items():
        if word.startswith((f"{name}=", f"{name}.")):
            return short + word.removeprefix(name)
    return word


def _at_home(word: str) -> str:
    return _HOME.sub(lambda quote: quote[1] + os.path.expanduser("~"), word)


def _expand(word: str) -> str:
    match = _WORD.fullmatch(word)
    if match is None:
        return word
    key = match["key"]
    if key.startswith(_OPEN) and not match["sign"]:
        return f"++{word}"
    for short, name in SHORT.items():
        if key == short or key.startswith((f"{short}.", f"{short}@")):
            return match["sign"] + name + key.removeprefix(short) + match["rest"]
    return word


def value_of(words: Sequence[str], key: str) -> str | None:
    """The value the user gave a key, without quotes; None when it is not there or null."""
    values = [word.partition("=")[2] for word in words if word.partition("=")[0].lstrip("+") == key]
    if not values or values[-1] in ("", "null"):
        return None
    return values[-1].strip("'\"")


def touched(overrides: Sequence[str]) -> frozenset[str]:
    """The keys that overrides set, without signs, packages and values."""
    return frozenset(word.lstrip("+~").partition("=")[0].partition("@")[0] for word in overrides)


def into_run_folder(words: Sequence[str], run: Path) -> list[str]:
    """The words that make Hydra work in the folder of the run that is resumed."""
    if any(word in ("-m", "--multirun") for word in words):
        raise ConfigError("resume= goes on with one run and cannot be combined with --multirun")
    # A backslash is one in Hydra's grammar unless a quote comes after it.
    quoted = re.sub(r"(\\*)('|$)", lambda m: m[1] * 2 + ("\\'" if m[2] else ""), str(run))
    # Beside the other overrides, as argparse does not take them on both sides of a flag.
    at = max(i for i, word in enumerate(words) if word.lstrip("+").startswith("resume="))
    return [*words[:at], f"hydra.run.dir='{quoted}'", *words[at:]]
