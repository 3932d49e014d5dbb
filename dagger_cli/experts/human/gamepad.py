"""A gamepad as keys: sticks are arrow keys with a strength, buttons are commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

DEAD = 0.12  # of a stick's way, in which it rests


def stick_keys(axes: Sequence[float]) -> dict[str, float]:
    """Returns the arrow keys of a stick, from its axes: to the right and downwards."""
    found = {}
    for value, (less, more) in zip(axes, (("left", "right"), ("up", "down")), strict=False):
        if abs(value) > DEAD:
            found[more if value > 0 else less] = min(1.0, abs(float(value)))
    return found


def pad_keys(names: Mapping[int, str], buttons: Sequence[int]) -> Iterator[str]:
    """Yields the keys of those buttons that have a name."""
    return (names[button] for button in buttons if button in names)


def hat_keys(right: float, up: float) -> Iterator[str]:
    """Yields the arrow keys of a directional pad."""
    if right:
        yield "right" if right > 0 else "left"
    if up:
        yield "up" if up > 0 else "down"
