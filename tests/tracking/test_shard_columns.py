"""What is read of a round's file: compact rows that do not fit are one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dagger_cli.core.errors import CheckpointError
from dagger_cli.tracking.shard_columns import columns_of

STEPS = {"steps": np.arange(3), "labels": np.arange(3)}
LIKE = {"obs.like": np.empty((0, 16), np.uint8), "obs.binary": np.ones(16, bool)}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (STEPS, "contains no labelled states: no 'obs'"),
        ({"obs": np.zeros((3, 2)), "labels": np.arange(3)}, "no labelled states: no 'steps'"),
        ({**STEPS, **LIKE}, "damaged observations: a part of the rows is missing"),
        ({**STEPS, **LIKE, "obs.bits": np.zeros((3, 3), np.uint8)}, "damaged.*do not fit"),
    ],
)
def test_what_is_missing_or_does_not_fit_is_said(arrays, message):
    with pytest.raises(CheckpointError, match=message):
        columns_of(Path("round_0001.safetensors"), arrays)
