"""Pictures in a run's folder at its end: the curve of validation, and a GIF of the student."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dagger_cli.config.build import TrainJob
from dagger_cli.core.clip import Clip, Enough
from dagger_cli.core.types import Policy, Score
from dagger_cli.tracking.metrics import read_points
from dagger_cli.tracking.run_paths import CURVE, GIF, METRICS
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.curve import CURVE_TITLE, curve_svg
from dagger_cli.utils.files import write_text


def write_curve(folder: Path, rounds: int, expert: Score | None) -> Path | None:
    """Writes curve.svg; returns its path, None where no round was validated."""
    points = read_points(folder / METRICS, rounds)
    if not points:
        return None
    path = folder / CURVE
    with writing(path):
        write_text(path, curve_svg(points, CURVE_TITLE, None if expert is None else expert.mean))
    return path


def write_gif(job: TrainJob, folder: Path, student: Policy) -> tuple[Path | None, str]:
    """Records the first seconds of an episode of the student; returns its path, and a note.

    The path is None where the environment has no pictures, or gives none; a note says why then.
    """
    source, clip = job.env.source, Clip(folder / GIF)
    if "rgb_array" not in source.render_modes or getattr(source, "alone", False):
        return None, ""
    seeds = job.evaluation_seeds[:1]
    try:
        source.play(student, seeds, np.random.default_rng(seeds[0]), clip)
    except Enough:
        pass
    except Exception as err:  # a picture must not cost a run, and drivers raise anything
        reason = " ".join(str(err).split()) or type(err).__name__
        return None, f"{GIF} was not written: {reason} (gif=false leaves it out)"
    return clip.path, ""
