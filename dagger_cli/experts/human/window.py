"""The person's window, drawn with pygame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dagger_cli.core.errors import ExpertError
from dagger_cli.experts.human.gamepad import hat_keys, pad_keys, stick_keys
from dagger_cli.experts.human.given import Input, Picture

LEAST = 480  # pixels: smaller frames are enlarged by a whole number
WIDEST, LINE, MARGIN = 760, 20, 10
INK, DIM, PAPER = (235, 235, 235), (150, 150, 150), (24, 26, 30)
BUTTONS = {0: "space", 1: "n", 4: "backspace", 5: "return", 7: "p"}  # as on an Xbox gamepad


class WindowScreen:
    """A window with the frame and the lines below it; closing it stops the run."""

    def __init__(self, title: str) -> None:
        try:
            import pygame
        except ImportError as err:
            raise ExpertError(
                "a window needs pygame: pip install pygame-ce; or use expert.ui=browser"
            ) from err
        self._pygame: Any = pygame
        self._title = f"{title}: you are the teacher"
        self._held: dict[str, None] = {}  # in the order of the presses
        self._surface: Any = None
        self._start()

    def show(self, picture: Picture) -> None:
        """Draws the frame and the lines."""
        pygame, frame = self._pygame, picture.frame
        if not (pygame.display.get_init() and pygame.font.get_init()):
            self._start()  # an environment that draws with pygame ends it when it is closed
        times = max(1, -(-LEAST // max(frame.shape[:2])))
        size = frame.shape[1] * times, frame.shape[0] * times
        lines = [part for line in picture.lines for part in self._wrapped(line, size[0])]
        height = size[1] + LINE * len(lines) + 2 * MARGIN
        whole = max(size[0], LEAST), max(height, self._surface.get_height() if self._surface else 0)
        if self._surface is None or self._surface.get_size() != whole:
            self._surface = pygame.display.set_mode(whole)
        self._surface.fill(PAPER)
        image = pygame.surfarray.make_surface(frame.swapaxes(0, 1))
        left = (whole[0] - size[0]) // 2
        self._surface.blit(pygame.transform.scale(image, size), (left, 0))
        for i, line in enumerate(lines):
            ink = INK if i < len(lines) - 2 else DIM
            text = self._font.render(line, True, ink)
            self._surface.blit(text, (MARGIN, size[1] + MARGIN + i * LINE))
        pygame.display.flip()

    def look(self) -> Input:
        """Returns what the person did since the last call."""
        pygame, pressed, closed, away = self._pygame, [], False, False
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                closed = True
            elif event.type == pygame.KEYDOWN:
                pressed.append(self._name(event.key))
                self._held[pressed[-1]] = None
            elif event.type == pygame.KEYUP:
                self._held.pop(self._name(event.key), None)
            elif event.type == pygame.WINDOWFOCUSLOST:
                self._held.clear()  # the window would not see their release
                away = True
            elif event.type == pygame.JOYDEVICEADDED:
                self._pads.append(pygame.joystick.Joystick(event.device_index))
            elif event.type == pygame.JOYBUTTONDOWN:
                pressed.extend(pad_keys(BUTTONS, [event.button]))
        held = *self._buttons(), *self._held
        return Input(held, tuple(pressed), self._sticks(), away, closed)

    def close(self) -> None:
        """Closes the window; may be called twice."""
        self._pygame.display.quit()

    def _start(self) -> None:
        pygame = self._pygame
        for part in (pygame.display, pygame.font, pygame.joystick):
            part.init()
        pygame.display.set_caption(self._title)
        self._font = pygame.font.Font(None, LINE)
        self._surface = None
        self._pads = [pygame.joystick.Joystick(i) for i in range(pygame.joystick.get_count())]

    def _name(self, key: int) -> str:
        name = str(self._pygame.key.name(key))
        return {"enter": "return", "[+]": "+", "[-]": "-"}.get(name, name)

    def _buttons(self) -> Iterator[str]:
        for pad in self._pads:
            held = [i for i in range(pad.get_numbuttons()) if pad.get_button(i)]
            yield from pad_keys(BUTTONS, held)
            for i in range(pad.get_numhats()):
                yield from hat_keys(*pad.get_hat(i))

    def _sticks(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for pad in self._pads:
            axes = [pad.get_axis(i) for i in range(pad.get_numaxes())]
            found |= stick_keys(axes[:2])
        return found

    def _wrapped(self, line: str, width: int) -> Iterator[str]:
        """Yields a line in parts that fit into the window."""
        part = ""
        for word in line.split(" "):
            longer = f"{part} {word}" if part else word
            if part and self._font.size(longer)[0] > max(width, LEAST) - 2 * MARGIN:
                yield part
                longer = word
            part = longer
        yield part
