"""Expands short names of keys before Hydra parses them.

Shells do not expand the tilde of `key=~/path`, and Hydra has another use for it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

# The group is called beta_schedule and people type beta; `import` cannot be a Python name.
SHORT = {"beta": "beta_schedule", "env.import": "env.imports"}
# May have any keys, and Hydra wants them to be added.
_OPEN = ("env.kwargs.", "policy.network.", "policy.loss.", "policy.optimizer.")
_HOME = re.compile(r"(?<=[=,])(['\"]?)~(?=/)")
_WORD = re.compile(r"(?P<sign>[+~]{0,2})(?P<key>[\w./@]+)(?P<rest>(=.*)?)", re.S)


def expand(words: Sequence[str]) -> list[str]:
    """Replaces short names by the config's own, keeping any sign before and any value after."""
    return [_at_home(_expand(word)) for word in words]


def shorten(word: str) -> str:
    """Returns what users type for a word of the config's own."""
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
    if key == "trainer":
        return match["sign"] + "trainer" + re.sub(r"(?<=[=,])bc(?=,|$)", "sup", match["rest"])
    if key.startswith(_OPEN) and not match["sign"]:
        return f"++{word}"
    for short, name in SHORT.items():
        if key == short or key.startswith((f"{short}.", f"{short}@")):
            return match["sign"] + name + key.removeprefix(short) + match["rest"]
    return word
