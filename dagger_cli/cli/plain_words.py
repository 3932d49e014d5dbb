"""Reader of the words of commands without a config: paths, key=value and flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dagger_cli.core.errors import ConfigError
from dagger_cli.utils.terminal import printable


@dataclass(frozen=True)
class Words:
    """Words of a command: paths in order, values by key, and flags."""

    paths: tuple[str, ...]
    values: tuple[tuple[str, str], ...]
    flags: frozenset[str]

    def one(self, key: str) -> str | None:
        """Returns the last value of a key, None without one."""
        found = self.all(key)
        return found[-1] if found else None

    def all(self, key: str) -> list[str]:
        """Returns all values of a key."""
        return [value for name, value in self.values if name == key]


def read_words(
    command: str, words: Sequence[str], *, keys: Sequence[str], flags: Sequence[str] = ()
) -> Words:
    """Sorts words by kind; a word that names a folder is a path, also with `=` in it.

    Raises ConfigError for other flags and keys.
    """
    paths: list[str] = []
    values: list[tuple[str, str]] = []
    for word in words:
        key, equals, value = word.partition("=")
        if word.startswith("-") and word not in flags:
            raise ConfigError(_unknown(command, "flag", word, flags))
        if equals and key in keys:
            if not value:
                raise ConfigError(f"{key}= needs a value: give {key}=...")
            values.append((key, value))
        elif equals and "/" not in key and not Path(word).exists():
            raise ConfigError(_unknown(command, "key", key, keys))
        elif word not in flags:
            paths.append(word)
    return Words(tuple(paths), tuple(values), frozenset(words) & frozenset(flags))


def _unknown(command: str, kind: str, word: str, known: Sequence[str]) -> str:
    from dagger_cli.cli.error_messages import nearest  # loads Hydra

    shown = printable(word[:80])
    offered = ", ".join([*known, "--help"] if kind == "flag" else known)
    listed = f" ({offered})" if offered else ""
    return f"dagger {command} has no {kind} '{shown}'{nearest(word, known)}{listed}"
