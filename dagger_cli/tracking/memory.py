"""What a round no longer needs goes back to the system."""

from __future__ import annotations

from dagger_cli.core.heap import trim
from dagger_cli.core.loop import Round


def give_back(finished: Round) -> None:
    """An observer of rounds: see core/heap.py."""
    trim()
