"""What a student sees of its environment: the settings of the config group `view`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.values import at_least, at_most
from dagger_cli.core.windows import MOST_CHUNK, MOST_STACK

if TYPE_CHECKING:
    from dagger_cli.core.types import Policy, Space
    from dagger_cli.views.layout import Layout

MOST_DELAY = 1000  # env steps
LOUDEST = 1e6  # the square of a float32 beyond 1e19 is infinite
SIDES = (8, 512)  # pixels


@dataclass(frozen=True, kw_only=True)
class View:
    """Settings of a view, applied in the order of the keys; by default it is the full observation.

    `keep` has indexes, slices such as "0:8" and names of parts (keep.py); `pixels` is the side of
    the picture in place of numbers, None without one; `noise` a standard deviation in the units of
    the observation; `delay` in env steps; `stack` the number of observations in one;
    `stack_actions`: with the actions taken between them; `chunk` how many of the last observations
    a row has, for policies that predict chunks of actions (core/windows.py); `past`: rows come with
    all observations of before in their episode, for policies that carry a state (core/past.py).
    """

    keep: Sequence[int | str] | None = None
    pixels: int | None = None
    grey: bool = True
    noise: float = 0.0
    delay: int = 0
    stack: int = 1
    stack_actions: bool = False
    chunk: int = 1
    past: bool = False

    def __post_init__(self) -> None:
        at_least("view.noise", self.noise, 0, 0.1)
        at_most("view.noise", self.noise, LOUDEST)
        for key, value, least, most, example in (
            ("view.delay", self.delay, 0, MOST_DELAY, 2),
            ("view.stack", self.stack, 1, MOST_STACK, 4),
            ("view.chunk (set by policy.chunk)", self.chunk, 1, MOST_CHUNK, 4),
        ):
            at_least(key, value, least, example)
            at_most(key, value, most)
        if self.pixels is not None:
            at_least("view.pixels", self.pixels, SIDES[0], 84)
            at_most("view.pixels", self.pixels, SIDES[1])
        for first, second in (("keep", "pixels"), ("noise", "pixels")):
            if getattr(self, first) and getattr(self, second):
                raise ConfigError(
                    f"view.{first} is for numbers and view.pixels replaces them by a picture: "
                    "leave one of them out"
                )
        if self.stack_actions and self.stack == 1 and not self.past:
            raise ConfigError(
                "view.stack_actions=true adds the actions between the observations of a stack: it "
                "needs view.stack of 2 or more"
            )
        if self.past and self.chunk > 1:
            raise ConfigError(
                "policy.carry=true and policy.chunk above 1 do not go together: use "
                "policy=gru_window, or policy.chunk=1"
            )

    def viewed(self, source: Any) -> Any:
        """Returns the source of environments that show this view; of the full one itself."""
        from dagger_cli.views.source import ViewedSource

        return source if self == View(grey=self.grey) else ViewedSource(source, self)

    @property
    def frames(self) -> int:
        """The number of frames that a row has."""
        return self.stack + self.chunk - 1

    @property
    def hides(self) -> bool:
        """Whether the student does not see the full observation; a stack alone adds past ones."""
        return bool(self.noise or self.delay) or (self.keep, self.pixels) != (None, None)

    @property
    def selects_only(self) -> bool:
        """Whether a student's observation is a selection of the present full one."""
        return self == View(keep=self.keep, grey=self.grey)

    def laid_out(self, seen: Space, acted: Space) -> Layout:
        """Returns what a student observes of a full environment with these spaces."""
        from dagger_cli.views.layout import layout

        return layout(self, seen, acted, {})

    def in_full(self, seen: Space, acted: Space) -> Callable[[Policy], Policy]:
        """Returns what lets a student's policy act in full observations, where `selects_only`.

        `seen` and `acted` are the spaces of the full environment.
        """
        from dagger_cli.views.selected import Selected

        index = self.laid_out(seen, acted).index
        return (
            (lambda policy: policy) if index is None else (lambda policy: Selected(policy, index))
        )
