"""Sanitizing of untrusted text for the terminal, and of the terminal's size."""

from __future__ import annotations

import os
import re


def printable(text: str) -> str:
    """Replaces control characters, which names in downloaded files may contain."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def sane_size() -> tuple[int | None, int | None]:
    """Returns the width and height to use where COLUMNS or LINES is 0 or no number, else None.

    Containers set COLUMNS=0, and Rich would print nothing.
    """
    return _size("COLUMNS", 80), _size("LINES", 25)


def _size(variable: str, usual: int) -> int | None:
    value = os.environ.get(variable)
    return None if value is None or re.fullmatch(r"[1-9][0-9]{0,5}", value) else usual
