"""The episodes of a run as a recording whose returns a critic is fitted to."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dagger_cli.commands.data import run_episodes
from dagger_cli.core.errors import ConfigError
from dagger_cli.publish.critic import Recording


def recording_of(checkpoint: Path, trust: tuple[str, ...]) -> Recording:
    """Returns all episodes of the checkpoint's run; raises ConfigError where rewards are missing.

    An episode that was still running loses its last step, whose result was not saved. Episodes
    with gaps, of trainers that label some states, have no returns.
    """
    episodes = run_episodes(checkpoint, trust)
    columns = episodes.columns
    if "reward" not in columns or "terminated" not in columns:
        raise ConfigError(
            f"{episodes.about.source} has no rewards of all its rounds, which a critic is fitted "
            "to: it was trained by an earlier version, or from demonstrations without them"
        )
    rows, starts, last, terminated = [], [0], [], []
    for start, end in zip(episodes.starts.tolist(), episodes.starts[1:].tolist(), strict=False):
        final = episodes.final_of(int(columns["episode"][start]))
        stop = end if final is not None else end - 1
        steps = columns["step"][start:end]
        if stop <= start or not np.array_equal(steps - steps[0], np.arange(end - start)):
            continue
        rows.append(np.arange(start, stop))
        starts.append(starts[-1] + stop - start)
        last.append(columns["observation"][stop] if final is None else final)
        terminated.append(final is not None and bool(columns["terminated"][end - 1]))
    if not rows:
        raise ConfigError(f"{episodes.about.source} has no whole episodes to fit a critic to")
    kept = np.concatenate(rows)
    return Recording(
        columns["observation"][kept],
        columns["reward"][kept],
        np.array(starts),
        np.stack(last),
        np.array(terminated),
    )
