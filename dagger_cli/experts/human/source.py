"""`expert=human`: a person, in a window or in a browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Card, Space
from dagger_cli.core.values import in_range, one_of
from dagger_cli.experts.human.given import Screen
from dagger_cli.experts.human.person import Person, Settings

UIS, PACES = ("window", "browser"), ("auto", "real", "step")


@dataclass(frozen=True)
class Human:
    """Settings of the screen and of the keys; see conf/expert/human.yaml."""

    ui: str
    port: int
    pace: str
    speed: float
    undo: float
    rate: float
    keys: Mapping[str, Any] | None
    asks_a_person: ClassVar[bool] = True

    def __post_init__(self) -> None:
        one_of("expert.ui", self.ui, UIS)
        one_of("expert.pace", self.pace, PACES)
        in_range("expert.port", self.port, "[0, 65535]", 8765)
        in_range("expert.speed", self.speed, "[0.05, 16]", 1.0)
        in_range("expert.undo", self.undo, "(0, 60]", 2.0)
        in_range("expert.rate", self.rate, "(0, inf)", 4.0)

    def load(self, env_id: str, observations: Space, actions: Space) -> Person:
        """Returns the person, who is asked when the first round begins."""
        if self.ui == "window":
            check_display()
        card = Card("human", f"a person, in a {self.ui}", "human", code=True)
        settings = Settings(self.pace, self.speed, self.undo, self.rate, self.keys)
        return Person(card, actions, settings, self._screen)

    def _screen(self, title: str) -> Screen:
        if self.ui == "browser":
            from dagger_cli.experts.human.browser import BrowserScreen

            return BrowserScreen(title, self.port)
        from dagger_cli.experts.human.window import WindowScreen

        return WindowScreen(title)


def check_display() -> None:
    """Raises ConfigError where there is no display, on which SDL would show nothing."""
    import os
    import sys

    if not sys.platform.startswith("linux"):
        return
    if not any(os.environ.get(key) for key in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")):
        raise ConfigError(
            "there is no display to open a window on: use expert.ui=browser, which also works "
            "over ssh"
        )
