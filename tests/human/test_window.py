"""The window without a display: posted events arrive as keys, and the picture is drawn."""

from __future__ import annotations

import re

import numpy as np
import pytest

from dagger_cli.experts.human.given import Picture
from tests.e2e.running import dagger
from tests.human.people import TINY, answers

pygame = pytest.importorskip("pygame")


@pytest.fixture
def window(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    from dagger_cli.experts.human.window import WindowScreen

    screen = WindowScreen("test")
    screen.show(Picture(np.full((60, 80, 3), 200, np.uint8), ("first", "second " * 40)))
    screen.look()
    yield screen
    screen.close()
    screen.close()


def post(kind, **values):
    pygame.event.post(pygame.event.Event(kind, **values))


def test_keys_are_held_until_they_are_released(window):
    post(pygame.KEYDOWN, key=pygame.K_LEFT)
    post(pygame.KEYDOWN, key=pygame.K_SPACE)
    post(pygame.KEYUP, key=pygame.K_SPACE)
    given = window.look()
    assert (given.pressed, given.held) == (("left", "space"), ("left",))
    assert set(window.look().after(given).down) == {"left", "space"}  # a tap is not lost
    post(pygame.KEYUP, key=pygame.K_LEFT)
    assert window.look().held == ()


def test_keys_of_the_number_pad_are_those_of_the_keyboard(window):
    for key in (pygame.K_KP_ENTER, pygame.K_KP_PLUS, pygame.K_RETURN, pygame.K_BACKSPACE):
        post(pygame.KEYDOWN, key=key)
    assert window.look().pressed == ("return", "+", "return", "backspace")


def test_a_window_that_loses_the_focus_releases_the_keys_and_pauses(window):
    post(pygame.KEYDOWN, key=pygame.K_LEFT)
    post(pygame.WINDOWFOCUSLOST)
    given = window.look()
    assert given.away and not given.held


def test_a_gamepads_buttons_are_commands(window):
    post(pygame.JOYBUTTONDOWN, button=5)
    post(pygame.JOYBUTTONDOWN, button=0)
    assert window.look().pressed == ("return", "space")


def test_an_environment_may_end_pygame(window):
    """Gymnasium's classic environments do in close(), as with env.fresh_simulator=true."""
    pygame.quit()
    window.show(Picture(np.full((60, 80, 3), 90, np.uint8), ("again",)))
    post(pygame.KEYDOWN, key=pygame.K_LEFT)
    assert window.look().pressed == ("left",)
    assert pygame.surfarray.array3d(window._surface)[100, 100].tolist() == [90] * 3


def test_closing_it_closes(window):
    post(pygame.QUIT)
    assert window.look().closed


def test_small_frames_are_enlarged_and_long_lines_wrapped(window):
    width, height = window._surface.get_size()
    assert (width, pygame.surfarray.array3d(window._surface)[100, 100].tolist()) == (480, [200] * 3)
    assert height > 360 + 3 * 20  # the second line takes more than one


def test_a_run_in_the_window(tmp_path, monkeypatch):
    """A person posts keys; at the thirtieth question the window is closed."""
    from dagger_cli.experts.human.window import WindowScreen

    look, looks = WindowScreen.look, []

    def with_keys(screen):
        looks.append(1)
        key = pygame.K_RIGHT if len(looks) % 3 else pygame.K_LEFT
        post(pygame.QUIT) if len(looks) == 30 else post(pygame.KEYDOWN, key=key)
        return look(screen)

    monkeypatch.setattr(WindowScreen, "look", with_keys)
    stopped = dagger("train", *TINY, cwd=tmp_path)
    assert stopped.code == 130 and re.search(
        r"^resume +dagger train resume=run$", stopped.out, re.M
    )
    given = [answer["action"][0] for answer in answers(tmp_path / "run")]
    assert given == [1.0 if n % 3 else 0.0 for n in range(1, 30)]
