"""Checks of beta schedules."""

from __future__ import annotations

from dagger_cli.core.schedules import Progress, Schedule


def check_schedule(schedule: Schedule, rounds: int = 10) -> None:
    """Checks that beta is a float in [0, 1] and a function of the progress alone."""
    points = [Progress(done, rounds, done / rounds) for done in range(rounds + 1)]
    betas = [schedule(point) for point in points]
    for point, beta in zip(points, betas, strict=True):
        assert isinstance(beta, float), f"beta must be a float, got {beta!r} in round {point.round}"
        assert 0 <= beta <= 1, f"beta must be in [0, 1], got {beta} in round {point.round}"
    backwards = [schedule(point) for point in reversed(points)]
    assert backwards == betas[::-1], "beta must depend on the progress alone, not on earlier calls"
