"""Text of unknown origin."""

from __future__ import annotations


def printable(text: str) -> str:
    """Without characters that a terminal obeys: names in files of others may hold them."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
