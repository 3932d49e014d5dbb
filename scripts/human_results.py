"""Pictures and rates of docs/human.md: python scripts/human_results.py

Runs `dagger train expert=human` with a scripted person, in the window (without a display) and on
the page (in headless Chromium, driven by playwright: pip install playwright), writes
docs/human_window.png and docs/human_page.png, and docs/human.json: the env steps per second that
the person sees, on the machine of these pages.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"

import numpy as np

import dagger_cli
from dagger_cli.core.types import Array
from dagger_cli.experts.human.browser import BrowserScreen
from dagger_cli.experts.human.given import Input, Picture, Screen
from dagger_cli.experts.human.source import Human
from dagger_cli.experts.human.window import WindowScreen
from dagger_cli.utils.files import write_json

DOCS = Path(__file__).resolve().parent.parent / "docs"
COMMON = ("evaluation.episodes=1", "validation.episodes=0", "expert=human", "policy.sizes=[64]")
STEPS = 300  # of a measured round
ENVS = ("cartpole", "lunarlander", "bipedal", "mountaincar", "kart", "mario")
WHO = ("You", "student")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
Watch = Callable[["Scripted"], None]


class Scripted:
    """A screen whose person starts every round, holds keys in turns, and is watched."""

    def __init__(self, inner: Screen, keys: tuple[str, ...], watch: Watch) -> None:
        self.inner, self._keys, self._watch = inner, keys, watch
        self.lines: tuple[str, ...] = ()
        self._step, self.states = "", 0

    def show(self, picture: Picture) -> None:
        """Shows a picture, and counts the states that were shown."""
        self.states += self._step != (step := picture.lines[1].split("   ")[0])
        self._step = step
        self.lines = picture.lines
        self.inner.show(picture)

    def look(self) -> Input:
        """Returns the next keys of the script."""
        self.inner.look()
        self._watch(self)
        paused = any("PAUSED" in line for line in self.lines)
        held = self._keys[self.states // 12 % len(self._keys)] if self._keys else ""
        pressed = ("p",) if paused else ("return",) if self.gives_or_takes() else ()
        return Input((held,) if held else (), pressed)

    def gives_or_takes(self) -> bool:
        """Returns whether the person takes over or gives back: acts in every second 40 states."""
        acts, watches = (any(f"{who} act" in line for line in self.lines) for who in WHO)
        wanted = self.states % 80 >= 40
        return (watches and wanted) or (acts and "Enter" in "".join(self.lines) and not wanted)

    def close(self) -> None:
        """Closes the screen."""
        self.inner.close()


def taught(words: tuple[str, ...], keys: tuple[str, ...], watch: Watch, page: bool) -> Array:
    """Trains with a scripted person; returns the seconds of every answer."""

    def screen(self: Human, title: str) -> Screen:
        inner: Screen = BrowserScreen(title, 0) if page else WindowScreen(title)
        return Scripted(inner, keys, watch)

    Human._screen = screen  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        dagger_cli.train([*COMMON, *words, f"hydra.run.dir={folder}/run", "logger=[jsonl]"])
        text = (Path(folder) / "run/human/answers.jsonl").read_text()
    return np.array([json.loads(line)["seconds"] for line in text.splitlines()])


def window_picture() -> None:
    """Writes the window while the person has taken over from the student."""
    import pygame

    def watch(screen: Scripted) -> None:
        if screen.states == 452 and isinstance(screen.inner, WindowScreen):
            pygame.image.save(screen.inner._surface, str(DOCS / "human_window.png"))

    words = ("env=lunarlander", "trainer=hg_dagger", "rounds=2", "steps_per_round=400")
    taught((*words, "expert.speed=4"), ("up", "left", "", "right"), watch, False)
    smaller(DOCS / "human_window.png")


def page_picture() -> None:
    """Writes the page of a kart, as Chromium shows it; the run waits for it."""
    taken: list[int] = []

    def watch(screen: Scripted) -> None:
        if screen.states == 230 and not taken and isinstance(screen.inner, BrowserScreen):
            taken.append(1)
            photograph(screen.inner.address)

    words = ("env=kart", "trainer=dagger", "rounds=2", "steps_per_round=200")
    taught(words, ("left", "", "right", ""), watch, True)
    smaller(DOCS / "human_page.png")


def photograph(address: str) -> None:
    """Writes docs/human_page.png, once the page has a picture."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        page.goto(address)
        page.locator("#lines p").first.wait_for()
        page.screenshot(path=DOCS / "human_page.png")
        browser.close()


def smaller(path: Path) -> None:
    """Replaces a picture by one of 256 colours."""
    from PIL import Image

    Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)


def rate(env: str, page: bool) -> dict[str, Any]:
    """Returns the steps per second, from the median answer of a round in which the person acts."""
    words = (f"env={env}", "trainer=sup", "rounds=1", f"steps_per_round={STEPS}")
    seconds = taught((*words, "expert.pace=real"), ("left", "right"), lambda screen: None, page)
    return {"env": env, "page": page, "per_second": round(1 / float(np.median(seconds)), 1)}


def main() -> None:
    """Writes everything."""
    window_picture()
    page_picture()
    rates = [rate(env, page) for env in ENVS for page in (False, True)]
    write_json(DOCS / "human.json", {"steps": STEPS, "rates": rates})
    print(*rates, sep="\n", file=sys.stderr)


if __name__ == "__main__":
    main()
