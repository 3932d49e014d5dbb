"""What a labeller is given and what it returns; what its workers need to load the expert."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from dagger_cli.core.types import Expert


@dataclass(frozen=True)
class Recipe:
    """How a worker loads the expert: `load`, in the folder and with the path of this process.

    It is pickled; `cores` is how many cores a worker may use.
    """

    load: Callable[[], Expert]
    folder: str
    path: tuple[str, ...]
    cores: int

    @classmethod
    def here(cls, load: Callable[[], Expert], cores: int = 1) -> Recipe:
        """Returns the recipe with the current folder and path."""
        return cls(load, os.getcwd(), tuple(sys.path), cores)


def _nothing() -> None:
    """Closes a labeller without workers."""


class Labelled(NamedTuple):
    """The expert that a run uses, notes for the user, and a function that ends the workers."""

    expert: Expert
    notes: tuple[str, ...] = ()
    close: Callable[[], None] = _nothing


class Labeller(Protocol):
    """An option of the group `labeller`: decides where the expert's answers are computed."""

    def labelled(self, expert: Expert, load: Callable[[], Expert]) -> Labelled:
        """Returns an expert with the same answers; `load`, which is pickled, loads `expert`."""
        ...
