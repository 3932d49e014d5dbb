"""Pictures of a LeRobot data set as one video, and their statistics."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array

MOST_CHANNELS = 16  # of a stack; more are a side of a picture
MOST = 500  # pictures in the statistics, evenly spaced


def as_frames(observations: Array) -> Array | None:
    """Returns pictures (n, height, width, 3) of bytes; None for other observations.

    Channels are last, or first where there are 1 or 3 of them. Of a stack of pictures, which has
    the newest last, this is the newest: three channels where their number is a multiple of three.
    """
    if observations.dtype != np.uint8 or observations.ndim != 4:
        return None
    if observations.shape[1] in (1, 3) and observations.shape[3] > MOST_CHANNELS:
        observations = np.moveaxis(observations, 1, 3)
    channels = observations.shape[3]
    if channels > MOST_CHANNELS:
        return None
    if channels % 3 == 0:
        return observations[..., -3:]
    return np.repeat(observations[..., -1:], 3, axis=3)


def write_video(folder: Path, frames: Array, fps: int) -> None:
    """Writes the frames to file-000.mp4 in a new folder, with frequent key frames."""
    import imageio

    folder.mkdir(parents=True)
    even = frames.shape[1] % 2 == 0 and frames.shape[2] % 2 == 0
    with imageio.get_writer(
        folder / "file-000.mp4",
        fps=fps,
        codec="libx264",
        macro_block_size=1,
        pixelformat="yuv420p" if even else "yuv444p",
        output_params=["-g", "2"],
    ) as writer:
        for frame in frames:
            writer.append_data(frame)


def picture_stats(frames: Array) -> dict[str, Any]:
    """Returns the statistics of each channel, in [0, 1], of the shape (3, 1, 1)."""
    some = frames[:: -(-len(frames) // MOST)].reshape(-1, 3) / 255
    known = {"min": some.min(0), "max": some.max(0), "mean": some.mean(0), "std": some.std(0)}
    shaped = {name: value.reshape(3, 1, 1).tolist() for name, value in known.items()}
    return {**shaped, "count": [len(frames)]}


def read_video(path: Path, height: int, width: int) -> Array:
    """Returns all frames of a video, (n, height, width, 3); raises ConfigError for another one."""
    import imageio_ffmpeg

    raw = (
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-s",
        f"{width}x{height}",
        "-fps_mode",
        "passthrough",
    )
    safe = ("-protocol_whitelist", "file", "-i", f"file:{path}")  # a file may name other files
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *safe, *raw, "-"]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise ConfigError(f"{path} is not a whole video ({done.stderr.decode(errors='replace')})")
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3)
