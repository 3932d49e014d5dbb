"""Statistics of few runs: Agarwal et al. 2021, "Deep RL at the edge of the statistical precipice".

A score is a number per run; `tasks` has one array of scores per environment, the strata of the
bootstrap. Every bootstrap begins with the same seed, so the same scores give the same intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from dagger_cli.core.types import Array

REPETITIONS, SEED = 2000, 0
TRIMMED = 0.25  # of the scores, at each end
# 97.5 % quantiles of Student's t for 1, 2, ... degrees of freedom.
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
_Z = 1.959964


class Interval(NamedTuple):
    """A 95 % interval."""

    low: float
    high: float


class Estimate(NamedTuple):
    """A statistic, and its interval; None where one run per task leaves nothing to resample."""

    value: float
    interval: Interval | None


def iqm(scores: Array) -> Array:
    """Returns the mean of the middle half along the last axis, of all scores if under four."""
    n = scores.shape[-1]
    cut = int(TRIMMED * n)
    return np.asarray(np.sort(scores, axis=-1)[..., cut : n - cut].mean(-1))


def stratified(tasks: Sequence[Array], statistic: Callable[[Array], Array] = iqm) -> Estimate:
    """Returns a statistic of all scores, with the percentile interval of a stratified bootstrap."""
    value = float(statistic(np.concatenate(list(tasks))))
    if max(map(len, tasks)) < 2:
        return Estimate(value, None)
    return Estimate(value, _percentiles(statistic(_resampled(tasks))))


def profile(tasks: Sequence[Array], thresholds: Array) -> tuple[Array, Array, Array]:
    """Returns the fraction of runs above each threshold, and the bounds of its 95 % band."""
    drawn = _resampled(tasks)
    above = np.stack([(drawn > threshold).mean(-1) for threshold in thresholds], axis=1)
    low, high = np.percentile(above, (2.5, 97.5), axis=0)
    scores = np.concatenate(list(tasks))
    return (scores > thresholds[:, None]).mean(1), low, high


def probability_of_improvement(better: Sequence[Array], worse: Sequence[Array]) -> Estimate:
    """Returns the probability that a run of `better` scores higher than one of `worse`.

    Both have the same tasks, which count equally; ties count half (Mann-Whitney).
    """
    rng = np.random.default_rng(SEED)
    values, drawn = [], np.zeros(REPETITIONS)
    for a, b in zip(better, worse, strict=True):
        wins = (a[:, None] > b) + 0.5 * (a[:, None] == b)
        values.append(wins.mean())
        drawn += ((_counts(rng, len(a)) @ wins) * _counts(rng, len(b))).sum(1) / wins.size
    one = max(map(len, (*better, *worse))) < 2
    interval = None if one else _percentiles(drawn / len(values))
    return Estimate(float(np.mean(values)), interval)


def mean_difference(differences: Array) -> Estimate:
    """Returns the mean of paired differences with a bootstrap interval over the pairs."""
    return stratified([differences], lambda drawn: drawn.mean(-1))


def mean_interval(values: Array) -> float | None:
    """Returns half the 95 % interval of the mean (Student's t); None for one value."""
    n = len(values)
    return None if n < 2 else float(student_t(n - 1) * values.std(ddof=1) / np.sqrt(n))


def student_t(freedom: int) -> float:
    """Returns the 97.5 % quantile of Student's t, to three digits."""
    if freedom <= len(_T):
        return _T[freedom - 1]
    z, n = _Z, freedom  # the expansion of Cornish and Fisher
    second, third = 5 * z**5 + 16 * z**3 + 3 * z, 3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z
    return z + (z**3 + z) / (4 * n) + second / (96 * n**2) + third / (384 * n**3)


def _resampled(tasks: Sequence[Array]) -> Array:
    """Returns scores drawn with replacement within each task, one row per repetition."""
    rng = np.random.default_rng(SEED)
    drawn = [scores[rng.integers(len(scores), size=(REPETITIONS, len(scores)))] for scores in tasks]
    return np.concatenate(drawn, axis=1)


def _counts(rng: np.random.Generator, n: int) -> Array:
    """Returns how often each of n runs was drawn, one row per repetition."""
    return rng.multinomial(n, np.full(n, 1 / n), size=REPETITIONS).astype(float)


def _percentiles(drawn: Array) -> Interval:
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Interval(float(low), float(high))
