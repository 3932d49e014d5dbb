"""Quoting for Hydra's grammar and for the shell, so that printed commands can be pasted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable


def hydra_quoted(text: str) -> str:
    """Returns the text in single quotes; Hydra reads exactly this text, `${` included."""
    return f"'{escaped(_without_interpolation(text))}'"


def escaped(text: str) -> str:
    """Returns a text escaped for single quotes in Hydra's grammar; `${...}` keeps its meaning."""
    # Backslashes are literal unless a quote follows.
    return re.sub(r"(\\*)('|\Z)", lambda m: m[1] * 2 + ("\\'" if m[2] else ""), text)


def _without_interpolation(text: str) -> str:
    return re.sub(r"(\\*)\$\{", lambda m: m[1] * 2 + "\\${", text)


def hydra_value(text: str) -> str:
    """Returns the text as it is where Hydra reads it so, otherwise in quotes."""
    plain = re.fullmatch(r"[\w./+@%-]+", text, re.ASCII) and not is_no_text(text)
    return text if plain else hydra_quoted(text)


def is_no_text(word: str) -> bool:
    """Returns whether Hydra reads an unquoted word as null, a truth value or a number."""
    number = r"[+-]?(\d[\d_]*)?\.?[\d_]*(e[+-]?[\d_]+)?|[+-]?(inf|nan)|null|true|false"
    return bool(re.fullmatch(number, word, re.I | re.ASCII))


def shell_joined(words: Iterable[str]) -> str:
    r"""Returns the words as one line for a shell; control characters are written as `$'\x0a'`."""
    return " ".join(shlex.quote(word) if word.isprintable() else _ansi(word) for word in words)


def _ansi(word: str) -> str:
    return "$'" + "".join(map(_ansi_character, word)) + "'"


def _ansi_character(c: str) -> str:
    if c in "\\'":
        return "\\" + c
    if c.isprintable():
        return c
    return "".join(f"\\x{byte:02x}" for byte in c.encode("utf-8", "surrogateescape"))
