"""Writing of episodes to a file: mp4, or an animated GIF; replaced only when it is complete."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from math import ceil
from pathlib import Path
from typing import Any

from dagger_cli.core.clip import Clip, Enough
from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Array

GIF_FPS, GIF_WIDTH = 25, 480  # at most; browsers slow faster GIFs down


Frame = Callable[[], Array]
Write = Callable[[Frame], None]


@contextmanager
def film(target: Path | Clip, fps: int) -> Iterator[Write]:
    """Yields a function that adds a frame; `fps` are those of play.

    It takes a function that renders the frame, (height, width, 3) uint8, and calls it only where
    the frame is kept: rendering costs most. It raises Enough at the end of a clip.
    """
    path = target.path if isinstance(target, Clip) else target
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.touch()
    except OSError as err:
        raise EnvError(f"cannot write video={path}: {err.strerror}") from err
    try:
        with closing(_writer(target, unfinished, fps)) as writer:  # also ends ffmpeg
            try:
                yield writer.add
            except Enough:
                writer.close()
                unfinished.replace(path)
                raise
        unfinished.replace(path)
    except OSError as err:
        raise EnvError(f"cannot write video={path}: {err}") from err
    finally:
        unfinished.unlink(missing_ok=True)


def _writer(target: Path | Clip, file: Path, fps: int) -> _Mp4 | _Gif:
    if isinstance(target, Clip):
        return _Gif(file, fps, target)
    if file.suffix == ".gif":
        return _Gif(file, fps, Clip(file, float("inf"), float("inf"), GIF_FPS, GIF_WIDTH))
    return _Mp4(file, fps)


class _Mp4:
    """Frames as H.264, which needs even sides."""

    def __init__(self, file: Path, fps: int) -> None:
        import imageio.v2 as imageio

        # imageio's default of 16 for macro blocks would rescale most frames.
        options: dict[str, Any] = {"fps": fps, "codec": "libx264", "macro_block_size": 2}
        self._writer = imageio.get_writer(file, **options)

    def add(self, frame: Frame) -> None:
        """Adds a frame."""
        self._writer.append_data(frame())

    def close(self) -> None:
        """Completes the file."""
        self._writer.close()


class _Gif:
    """Every k-th frame, made smaller by a whole factor."""

    def __init__(self, file: Path, fps: int, clip: Clip) -> None:
        self._file, self._clip = file, clip
        self._every = max(1, ceil(fps / clip.fps))
        self._last = clip.seconds * fps
        self._seconds = self._every / fps
        self._frames: list[Any] = []
        self._seen, self._began = 0, float("inf")

    def add(self, frame: Frame) -> None:
        """Adds every k-th frame; raises Enough where the clip is complete."""
        if self._seen % self._every == 0:
            self._frames.append(_small(frame(), self._clip.width))
            if len(self._frames) == 2:
                self._began = time.monotonic()  # the first ones compile what draws and acts
        self._seen += 1
        if self._seen > self._last or time.monotonic() - self._began > self._clip.work:
            raise Enough

    def close(self) -> None:
        """Writes the file."""
        if self._frames:
            first, *others = self._frames
            self._frames = []
            hundredths = max(2, round(100 * self._seconds))
            shown = {"duration": 10 * hundredths, "loop": 0}
            first.save(self._file, "GIF", save_all=True, append_images=others, **shown)


def _small(frame: Array, width: int) -> Any:
    """Returns the frame as an image of 256 colours, at most `width` wide."""
    from PIL import Image

    image = Image.fromarray(frame)
    return image.reduce(ceil(image.width / width)).quantize(method=Image.Quantize.FASTOCTREE)
