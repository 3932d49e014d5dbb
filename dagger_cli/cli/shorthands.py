"""Short names of keys, expanded before Hydra parses them.

The tilde of `key=~/path` is expanded, too: shells do not, and Hydra gives it another meaning.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from dagger_cli.utils.short_names import SHORT

# These nodes accept any keys, which Hydra needs to be added with `++`.
_OPEN = ("env.kwargs.", "policy.network.", "policy.loss.", "policy.optimizer.")
_HOME = re.compile(r"(?<=[=,])(['\"]?)~(?=/)")
_WORD = re.compile(r"(?P<sign>[+~]{0,2})(?P<key>[\w./@]+)(?P<rest>(=.*)?)", re.S)


def expand(words: Sequence[str]) -> list[str]:
    """Replaces short names by the full ones, keeping signs and values."""
    return [_at_home(_expand(word)) for word in words]


def _at_home(word: str) -> str:
    return _HOME.sub(lambda quote: quote[1] + os.path.expanduser("~"), word)


def _expand(word: str) -> str:
    match = _WORD.fullmatch(word)
    if match is None:
        return word
    key = match["key"]
    if key == "trainer":
        return match["sign"] + "trainer" + re.sub(r"(?<=[=,])bc(?=,|$)", "sup", match["rest"])
    if key.startswith(_OPEN) and not match["sign"]:
        return f"++{word}"
    for short, name in SHORT.items():
        if key == short or key.startswith((f"{short}.", f"{short}@")):
            return match["sign"] + name + key.removeprefix(short) + match["rest"]
    return word
