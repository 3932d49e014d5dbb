"""Values of paths and of whole numbers, before Hydra's grammar reads them.

Hydra reads `2024_01_02` as the number 20240102, `12e4567` as infinity and 1e5 as no whole number,
and refuses `runs/lr=0.1`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from typing import get_args, get_type_hints

from hydra.core.override_parser.overrides_parser import OverridesParser

from dagger_cli.config.schema import NODES, ROOTS
from dagger_cli.utils.quoting import escaped, is_no_text

TEXTS = frozenset(
    (
        *("checkpoint", "resume", "path", "out", "json", "video", "message", "repo_id"),
        *("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir"),
        *("env.data", "env.id", "expert.path", "expert.folder", "expert.repo_id"),
        *("expert.filename", "expert.revision", "expert.sha256"),
    )
)
_WORD = re.compile(r"(?P<start>\+{0,2}(?P<key>[\w.]+)=)(?P<value>.*)", re.S)


def as_typed(words: Sequence[str], *, sweep: bool) -> list[str]:
    """Returns overrides in which paths are quoted and whole numbers have no exponent.

    In a sweep, a path that Hydra cannot read stays as it is: its commas may separate jobs.
    """
    return [_as_typed(word, sweep=sweep) for word in words]


def _as_typed(word: str, *, sweep: bool) -> str:
    match = _WORD.fullmatch(word)
    if match is None:
        return word
    start, key, value = match.groups()
    if key in TEXTS:
        return start + _text(value, sweep=sweep)
    if key in whole_numbers():
        return start + ",".join(map(_whole, value.split(",")))
    return word


def _text(value: str, *, sweep: bool) -> str:
    parts = value.split(",")
    if len(parts) > 1 and value[0] not in "'\"":  # a quoted text may contain commas
        value = ",".join(f"'{p}'" if is_no_text(p) and p else p for p in parts)
    try:
        override = OverridesParser.create().parse_override(f"x={value}")
        is_text = override.is_sweep_override() or isinstance(override.value(), str)
        if is_text or override.value() is None:
            return value
    except Exception:  # of Hydra or of Python, such as for a number of 5,000 digits
        if sweep:
            return value
    return f"'{escaped(value)}'"


def _whole(number: str) -> str:
    if not re.fullmatch(r"[+-]?\d[\d_]*\.?\d*(e\+?\d{1,2})?", number, re.I | re.ASCII):
        return number
    value = float(number)
    return f"{value:.0f}" if value.is_integer() and not number.isdigit() else number


@cache
def whole_numbers() -> frozenset[str]:
    """Returns the keys outside of groups whose values are whole numbers, such as `rounds`."""
    places = [*(("", root) for root in ROOTS.values()), *((f"{n}.", k) for n, k in NODES.items())]
    return frozenset(
        prefix + field.name
        for prefix, kind in places
        for field in fields(kind)
        if int in (hint := get_type_hints(kind)[field.name], *get_args(hint))
    )
