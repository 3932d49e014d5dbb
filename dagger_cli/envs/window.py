"""A pygame window for the environments that draw their own frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Array


class Window:
    """Window that shows `fps` frames a second; Esc or closing it raises KeyboardInterrupt."""

    def __init__(self, title: str, size: tuple[int, int], fps: int) -> None:
        try:
            import pygame
        except ImportError as err:
            raise EnvError("a window needs pygame: pip install pygame-ce; or use an .mp4") from err
        self._pygame, self._fps = pygame, fps
        pygame.display.init()
        pygame.display.set_caption(title)
        self._screen = pygame.display.set_mode(size)
        self._clock = pygame.time.Clock()

    def show(self, frame: Array) -> None:
        """Shows a frame, (height, width, 3) uint8, and waits until the next is due."""
        pygame = self._pygame
        for event in pygame.event.get():
            if event.type == pygame.QUIT or getattr(event, "key", None) == pygame.K_ESCAPE:
                raise KeyboardInterrupt
        pygame.surfarray.blit_array(self._screen, frame.swapaxes(0, 1))
        pygame.display.flip()
        self._clock.tick(self._fps)

    def close(self) -> None:
        """Closes the window; may be called twice."""
        self._pygame.display.quit()


@contextmanager
def window(
    title: str, size: tuple[int, int], fps: int
) -> Iterator[Callable[[Callable[[], Array]], None]]:
    """Yields a function that renders a frame and shows it; `size` is (width, height)."""
    with closing(Window(title, size, fps)) as opened:
        yield lambda frame: opened.show(frame())
