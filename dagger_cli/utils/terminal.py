"""Sanitizing of untrusted text for the terminal, and of the terminal's size."""

from __future__ import annotations

import os
import re

USUAL = {"COLUMNS": 80, "LINES": 25}


def printable(text: str) -> str:
    """Replaces control characters, which names in downloaded files may contain."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def sane_size() -> tuple[int, int] | tuple[None, None]:
    """Returns the width and height to use where COLUMNS or LINES is 0 or no number, else None.

    Containers set COLUMNS=0, and Rich would print nothing. It gets both: with one of them alone it
    reads the other variable, and takes a superscript for a number.
    """
    given = {name: os.environ.get(name) for name in USUAL}
    sane = {k: v for k, v in given.items() if v and re.fullmatch(r"[1-9][0-9]{0,5}", v)}
    if all(value is None or name in sane for name, value in given.items()):
        return None, None
    width, height = (int(sane.get(name, usual)) for name, usual in USUAL.items())
    return width, height
