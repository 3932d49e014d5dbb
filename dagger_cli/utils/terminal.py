"""Sanitizing of untrusted text for the terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Replaces control characters, which names in downloaded files may contain."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
