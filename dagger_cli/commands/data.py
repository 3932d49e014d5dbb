"""`dagger data export` and `dagger data show`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.commands.run_episodes import episodes_of
from dagger_cli.config.from_checkpoint import student_parts
from dagger_cli.data.episodes import FULL, About, Episodes
from dagger_cli.data.read import read_episodes
from dagger_cli.data.write import check_target, write_episodes
from dagger_cli.tracking.checkpoint import read_manifest, resolve_resumed
from dagger_cli.tracking.rows_read import saved_rounds
from dagger_cli.utils.files import shown_path
from dagger_cli.views.words import in_words


def run_episodes(run: Path, trust: tuple[str, ...] = ()) -> Episodes:
    """Returns all labelled rows of a run; raises DaggerError where it cannot be read.

    `trust` names packages besides this one whose environment the run's config may create.
    """
    checkpoint = resolve_resumed(run)
    manifest = read_manifest(checkpoint)
    config = manifest.config
    env, _ = student_parts(config, trust)
    source = env.source
    about = About(
        env_id=str(source.id),
        source=shown_path(checkpoint.parent.parent),
        view=in_words(config.get("view") or {}) or FULL,
        fps=max(1, int(getattr(source, "fps", 30))),
        observation_space=source.observation_space,
        action_space=source.action_space,
    )
    rounds = saved_rounds(checkpoint.parent, manifest)
    return episodes_of(rounds, about, int(config["n_envs"]), fails=env.failure_name is not None)


def export_run(run: Path, format: str, path: Path, trust: tuple[str, ...]) -> None:
    """Writes the labelled rows of a run in a format of `write.FORMATS`, and says what they are."""
    check_target(format, path)
    episodes = run_episodes(run, trust)
    write_episodes(episodes, format, path)
    _print(episodes)
    print(f"written   {shown_path(path)} ({format})")


def show_data(path: Path) -> None:
    """Prints what a data set contains."""
    _print(read_episodes(path))


def _print(episodes: Episodes) -> None:
    about, columns = episodes.about, episodes.columns
    lengths = np.diff(episodes.starts)
    rows = [
        ("source", about.source),
        ("env", about.env_id or "not named"),
        ("view", about.view or "not named"),
        ("episodes", f"{episodes.n_episodes:,} of {lengths.min()} to {lengths.max()} steps"),
        ("steps", f"{len(episodes):,}"),
    ]
    if "from_expert" in columns:
        rows.append(("expert", f"acted in {columns['from_expert'].mean():.1%} of the steps"))
    if "reward" in columns:
        returns = np.add.reduceat(columns["reward"].astype(np.float64), episodes.starts[:-1])
        rows.append(("return", f"{returns.mean():.1f} in the mean, cut episodes included"))
    rows.append(("columns", ", ".join(_shaped(name, columns[name]) for name in columns)))
    for name, value in rows:
        print(f"{name:<9} {value}")


def _shaped(name: str, column: Any) -> str:
    shape = "".join(f"[{n}]" for n in column.shape[1:])
    return f"{name} {column.dtype}{shape}"
