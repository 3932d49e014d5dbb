"""A short recording of a policy: what is asked of an environment that can be rendered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Clip:
    """A small GIF of the first seconds of an episode, at the end of a run.

    `seconds` of play at most; it ends sooner where making it has taken `work` seconds.
    """

    path: Path
    seconds: float = 10.0
    work: float = 2.0
    fps: float = 10.0
    width: int = 320


class Enough(Exception):
    """A clip is complete before its episode has ended."""
