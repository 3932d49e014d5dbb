"""Recorded steps as an environment's students would have seen them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dagger_cli.core.dataset import Dataset
from dagger_cli.views.env import Framed
from dagger_cli.views.layout import Layout
from dagger_cli.views.memory import Memory


def seen_rows(rows: Dataset, layout: Layout) -> Dataset:
    """Returns rows of whole episodes, one after the other, with the observations of a layout.

    Actions in a stack are the recorded ones, where the data have none the expert's. All episodes
    are replayed at once; noise is drawn by the number of the episode.
    """
    number = np.arange(len(rows))
    begins = np.flatnonzero(np.diff(rows.steps, prepend=rows.steps[:1]) != 1)
    lengths = np.diff(np.append(begins, len(rows)))
    acted = (rows.played or {}).get("action", rows.labels)
    memory, framed = Memory(layout, len(begins)), Framed(layout, len(begins))
    found = np.empty((len(rows), *layout.space.shape), layout.space.dtype)
    for step in range(int(lengths.max(initial=0))):
        episodes = np.flatnonzero(lengths > step)
        here = number[begins[episodes] + step]
        frames = framed(episodes, rows.obs[here], episodes, rows.steps[here])
        if step:
            memory.push(episodes, acted[here - 1], frames)
        else:
            memory.start(episodes, frames)
        found[here] = memory.rows[episodes]
    return replace(rows, stored=found)
