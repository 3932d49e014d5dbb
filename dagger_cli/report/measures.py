"""Measures of one learning curve against the expert's return."""

from __future__ import annotations

import numpy as np

from dagger_cli.core.types import Array


def share(returns: Array, expert: float) -> Array:
    """Returns the share of the expert's return: 1 - (expert - return) / |expert|.

    For a positive return of the expert this is return / expert; it is nan for an expert of 0.
    """
    if expert == 0:
        return np.full(np.shape(returns), np.nan)
    return np.asarray(1 - (expert - np.asarray(returns)) / abs(expert))


def labels_to(labels: Array, returns: Array, expert: float, part: float) -> float:
    """Returns the labels used when the return first had this share of the expert's, else inf."""
    aim = expert - (1 - part) * abs(expert)
    there = np.flatnonzero(np.asarray(returns) >= aim)
    return float(labels[there[0]]) if len(there) else np.inf


def area(labels: Array, shares: Array) -> float:
    """Returns the mean share over the labels, from the first round to the last (trapezoids)."""
    if len(labels) == 0:
        return np.nan
    span = float(labels[-1] - labels[0])
    if span <= 0:
        return float(shares[-1])
    return float(((shares[1:] + shares[:-1]) / 2 * np.diff(labels)).sum() / span)
