"""A view in words, for whoever has to make its observations without this program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

BEFORE = "zeros before the start of an episode"


def in_words(view: Mapping[str, Any]) -> str:
    """Returns what an observation consists of, from the keys of a view; empty for a full one."""
    return "; ".join(_parts(view))


def _parts(view: Mapping[str, Any]) -> Iterator[str]:
    if view.get("keep") is not None:
        yield f"components {list(view['keep'])} of the environment's observation, in this order"
    if view.get("pixels"):
        side, grey = view["pixels"], view.get("grey", True)
        colours = "grey (0.299 red + 0.587 green + 0.114 blue)" if grey else "in colours"
        yield f"the rendered picture, its areas averaged to {side} x {side} pixels, {colours}"
    if view.get("noise"):
        yield f"in training with Gaussian noise of standard deviation {view['noise']:g}"
    if view.get("delay"):
        yield f"{view['delay']} env steps late, {BEFORE}"
    frames = view.get("stack", 1) + view.get("chunk", 1) - 1
    if frames > 1:
        alone = not any(view.get(key) for key in ("keep", "pixels", "noise", "delay"))
        what = "observations" if alone else "of these"
        axis = "on the axis of channels" if view.get("pixels") else "one after the other"
        yield f"the last {frames} {what} {axis}, oldest first, {BEFORE}"
    if view.get("stack_actions"):
        which = f"{frames - 1} actions between them, oldest first" if frames > 1 else "last action"
        yield f"then the {which}, of Discrete actions one number per choice"
    if view.get("chunk", 1) > 1:
        number = "a channel of one number" if view.get("pixels") else "one number"
        yield (
            f"then {number}: the env steps taken since the start of the episode, "
            f"{view['chunk'] - 1} where there were more"
        )
