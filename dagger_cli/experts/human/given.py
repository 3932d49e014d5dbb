"""What a person does and sees: the interface of a screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from dagger_cli.core.types import Array

HALF = 0.5  # of a stick's way, from which it counts as a pressed key


@dataclass(frozen=True)
class Input:
    """Keys and sticks since the last look.

    `held` are the keys that are down now, the last pressed one last; `pressed` are those that went
    down, in their order; `sticks` are analog keys of a gamepad with their strength in (0, 1];
    `away`: the screen cannot see the keys any more; `closed`: the person wants to stop.
    """

    held: tuple[str, ...] = ()
    pressed: tuple[str, ...] = ()
    sticks: Mapping[str, float] = field(default_factory=dict)
    away: bool = False
    closed: bool = False

    @property
    def down(self) -> tuple[str, ...]:
        """Sticks that are beyond half of their way, then held keys, the last pressed one last."""
        pushed = [key for key, strength in self.sticks.items() if strength > HALF]
        return (*pushed, *self.held)

    def after(self, before: Input) -> Input:
        """Returns this input, in which keys tapped since `before` count as held, too."""
        pressed = before.pressed + self.pressed
        earlier = [key for key in self.held if key not in pressed]
        return replace(self, held=(*earlier, *dict.fromkeys(pressed)), pressed=pressed)


@dataclass(frozen=True)
class Picture:
    """What a screen shows: the environment's frame (height, width, 3) uint8, and lines of text."""

    frame: Array
    lines: tuple[str, ...]


class Screen(Protocol):
    """A window, or a page in a browser."""

    def show(self, picture: Picture) -> None:
        """Shows a picture, at once."""
        ...

    def look(self) -> Input:
        """Returns what the person did since the last call, without waiting."""
        ...

    def close(self) -> None:
        """Closes it; may be called twice."""
        ...
