"""Which keys give which actions: the user's, Gymnasium's, this package's, or a plain default."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Space
from dagger_cli.experts.human.controls import Chords, Controls, Levers, Switches

# Keys that are commands, whatever the environment.
TAKE, PAUSE, STEP, BACK, STOP = "return", "p", "n", "backspace", "escape"
FASTER, SLOWER = ("+", "="), ("-",)
COMMANDS = frozenset({TAKE, PAUSE, STEP, BACK, STOP, *FASTER, *SLOWER})

# Names of keys besides single characters: those of window and page, and those of a window alone.
NAMED = {"left", "right", "up", "down", "space", "tab", "delete", "insert", "home", "end"}
NAMED |= {f"f{n}" for n in range(1, 13)}
OF_WINDOW = {f"{side} {key}" for side in ("left", "right") for key in ("alt", "ctrl", "shift")}

Table = Mapping[str, Any]  # chord -> action (discrete), or key -> [component, value]

# By id and kind of action space; "" is no key at all.
DISCRETE: dict[str, Table] = {
    "CartPole": {"left": 0, "right": 1},
    "(MountainCar|Acrobot)": {"left": 0, "": 1, "right": 2},
    "LunarLander": {"": 0, "left": 1, "up": 2, "right": 3},
    "CarRacing": {"": 0, "right": 1, "left": 2, "up": 3, "down": 4},
    "FrozenLake": {"left": 0, "down": 1, "right": 2, "up": 3},
    "CliffWalking": {"up": 0, "right": 1, "down": 2, "left": 3},
    "Taxi": {"down": 0, "up": 1, "right": 2, "left": 3, "space": 4, "x": 5},
    "(MiniGrid|BabyAI)": {"left": 0, "right": 1, "up": 2, "g": 3, "d": 4, "space": 5, "e": 6},
}
SEVERAL: dict[str, Table] = {
    "mario": {"left": [0, 1], "right": [1, 1], "space": [2, 1], "up": [2, 1], "x": [3, 1]},
}
BOX: dict[str, Table] = {
    "kart": {"left": [0, 1], "right": [0, -1], "up": [1, 1], "down": [1, -1]},
    "CarRacing": {"left": [0, -1], "right": [0, 1], "up": [1, 1], "down": [2, 0.8]},
    "LunarLander": {"up": [0, 1], "left": [1, -1], "right": [1, 1]},
    "Pendulum": {"left": [0, 2], "right": [0, -2]},
}
PAIRS = (("left", "right"), ("down", "up"), ("a", "d"), ("s", "w"), ("f", "h"), ("g", "t"))
OLD_ARROWS = {273: "up", 274: "down", 275: "right", 276: "left"}  # of pygame 1, in Gymnasium
NAMES = {" ": "space", "\r": "return", "\x1b": "escape"}


def controls_for(
    env_id: str, space: Space, chosen: Table | None, played: Mapping[Any, Any] | None, rate: float
) -> Controls:
    """Returns the controls: `chosen` by the user, else of `get_keys_to_action` (`played`).

    Without either, the table of this package for the environment, else digits for choices and pairs
    of keys for components. Raises ConfigError where the keys do not fit the space.
    """
    if chosen:
        table: Table = chosen
    elif played is not None and space.kind == "discrete":
        table = _of_gymnasium(played)
    else:
        table = _known(env_id, space) or _plain(env_id, space)
    controls = _controls(space, table, rate)
    if chosen:
        _check_names(controls.keys - COMMANDS)
    taken = sorted(controls.keys & COMMANDS)
    if taken:
        raise ConfigError(
            f"expert.keys: '{taken[0]}' is a command ({', '.join(sorted(COMMANDS))}); choose "
            "another key"
        )
    return controls


def _check_names(keys: frozenset[str]) -> None:
    """Raises ConfigError for a name that no key has: it could never be pressed."""
    for key in sorted(keys):
        if len(key) == 1 and key.isupper():
            raise ConfigError(f"expert.keys: '{key}' is no key: write it small, '{key.lower()}'")
        if len(key) > 1 and key not in NAMED | OF_WINDOW:
            raise ConfigError(
                f"expert.keys: there is no key '{key}': use characters, left, right, up, down, "
                "space, tab, delete, insert, home, end, f1 to f12, or in a window such as "
                "'left shift'"
            )


def _controls(space: Space, table: Table, rate: float) -> Controls:
    if space.kind == "discrete":
        return Chords(space, {_chord(keys): _choice(keys, n, space) for keys, n in table.items()})
    pairs = {str(key): _component(key, value, space) for key, value in table.items()}
    return Levers(space, pairs, rate) if space.kind == "box" else Switches(space, pairs)


def _choice(keys: str, action: Any, space: Space) -> int:
    last = space.start + space.sizes[0] - 1
    if not isinstance(action, int) or not space.start <= action <= last:
        raise ConfigError(
            f"expert.keys: '{keys}' must give an action from {space.start} to {last}, got {action}"
        )
    return action


def _component(key: str, value: Any, space: Space) -> tuple[int, float]:
    """Returns (component, value) of a key; raises ConfigError for others."""
    pair = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []
    numbers = len(pair) == 2 and all(isinstance(number, int | float) for number in pair)
    if not numbers or pair[0] not in range(space.size):
        raise ConfigError(
            f"expert.keys: '{key}' must give [component, value] with a component from 0 to "
            f"{space.size - 1}, got {value}"
        )
    component, aim = int(pair[0]), float(pair[1])
    if space.kind == "box":
        low, high = space.low[component], space.high[component]
    else:
        low, high = space.start, space.start + space.sizes[component] - 1
    if not low <= aim <= high:
        raise ConfigError(
            f"expert.keys: '{key}' gives component {component} the value {aim:g}, outside "
            f"[{low:g}, {high:g}]"
        )
    return component, aim


def _chord(keys: str) -> frozenset[str]:
    """Returns the keys of `up+space`; the key + itself cannot be part of a chord."""
    return frozenset(key for key in str(keys).split("+") if key)


def _of_gymnasium(played: Mapping[Any, Any]) -> Table:
    """Returns a table of Gymnasium's, whose chords are tuples of characters or key codes."""
    return {
        "+".join(_name(key) for key in (keys if isinstance(keys, tuple) else tuple(keys))): int(
            np.asarray(action)
        )
        for keys, action in played.items()
    }


def _name(key: str | int) -> str:
    if isinstance(key, int):
        return OLD_ARROWS.get(key) or _name(chr(key))
    return NAMES.get(key, key.lower())


def _known(env_id: str, space: Space) -> Table | None:
    """Returns this package's table, without keys for components that the space lacks."""
    tables = {"discrete": DISCRETE, "box": BOX}.get(space.kind, SEVERAL)
    name = env_id.rpartition("/")[2]
    table = next((t for pattern, t in tables.items() if re.match(pattern, name)), None)
    if table is None or space.kind == "discrete":
        return table
    return {key: value for key, value in table.items() if value[0] < space.size}


def _plain(env_id: str, space: Space) -> Table:
    """Returns digits for choices, pairs of keys for components; ConfigError for too many."""
    if space.kind == "discrete" and space.sizes[0] <= 10:
        return {str(n): space.start + n for n in range(space.sizes[0])}
    if space.kind == "multi_binary" and space.size <= 9:
        return {str(n + 1): [n, 1] for n in range(space.size)}
    if space.kind == "box" and space.size <= len(PAIRS):
        half, centre = space.centre_and_half()[2], space.centre_and_half()[1]
        ends = zip(PAIRS, centre - half, centre + half, strict=False)
        sides = [(i, pair, low, high) for i, (pair, low, high) in enumerate(ends)]
        return {
            key: [i, float(end)]
            for i, (down, up), low, high in sides
            for key, end in ((down, low), (up, high))
        }
    example = (
        "{left: 0, right: 1}" if space.kind == "discrete" else "{left: [0, -1], right: [0, 1]}"
    )
    raise ConfigError(
        f"no keys are known for the actions of '{env_id}': name them, expert.keys='{example}'"
    )
