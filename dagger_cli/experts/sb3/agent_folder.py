"""Finds an agent's files in a folder of rl-zoo, of a Hub repository, or in our own format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from dagger_cli.core.errors import ExpertError
from dagger_cli.experts.sb3.convert import AgentFiles
from dagger_cli.experts.student import Student, find_student
from dagger_cli.networks.agent_files import read_bounded

NOT_AGENTS = ("train_eval_metrics.zip", "replay_buffer.zip")
_ENDS = (".zip", ".safetensors")
_BEGINNING = 4096  # bytes of a pickle, which names its class first
STATISTICS = ("vecnormalize.pkl", "vec_normalize.pkl")


# Games whose agents rl-baselines3-zoo has, as <Game>NoFrameskip-v4 with a preprocessing that is
# part of EnvPool's <Game>-v5.
GAMES = (
    "Asteroids", "BeamRider", "Breakout", "Enduro", "MsPacman", "Pong", "Qbert", "RoadRunner",
    "Seaquest", "SpaceInvaders",
)  # fmt: skip


def older_versions(env_id: str) -> tuple[str, ...]:
    """Returns the id and the same environment's older versions: X-v3, X-v2, X-v1, X-v0."""
    game = env_id.removesuffix("-v5")
    if game in GAMES:
        return env_id, f"{game}NoFrameskip-v4"
    match = re.fullmatch(r"(.+)-v(\d{1,2})", env_id)
    if match is None:
        return (env_id,)
    return tuple(f"{match[1]}-v{n}" for n in range(int(match[2]), -1, -1))


Found = AgentFiles | Student | Path


def find_agent(path: Path, env_id: str, algo: str | None) -> Found:
    """Finds a stable-baselines3 agent, a student of a run, or the stem of our own format.

    `path` may lack its suffix, as for stable-baselines3's `load`, or be a repository's folder in
    the Hub's cache.
    """
    path = _snapshot(path)
    if not path.exists():
        named = (path.with_name(path.name + end) for end in _ENDS)
        path = next((place for place in named if place.is_file()), path)
    if path.suffix not in _ENDS and (student := find_student(path)) is not None:
        return student
    if not path.exists():
        raise ExpertError(
            f"expert.path '{path}' does not exist; give a .zip, a .safetensors file, their folder, "
            "or a training run"
        )
    if path.is_dir():
        path = _in_folder(path, env_id, algo)
    if path.suffix in (".safetensors", ".json"):
        return path.with_suffix("")
    return _with_companions(path, env_id)


def _in_folder(folder: Path, env_id: str, algo: str | None) -> Path:
    """Prefers `best_model.zip`, then a file named like the environment, then the only one.

    At the end of training, rl-zoo overwrites the best model's statistics with those of the last
    model, `<env>.zip`, which is therefore the consistent choice.
    """
    names = sorted(entry.name for entry in folder.iterdir() if entry.suffix in _ENDS)
    if f"{env_id}.zip" in names and (folder / env_id / STATISTICS[0]).exists():
        names = [f"{env_id}.zip"]
    name = pick_agent(names, env_id, algo)
    if name is None:
        found = f"; it contains {', '.join(names)}: give one of them" if names else ""
        raise ExpertError(f"no agent for '{env_id}' was found in the folder '{folder}'{found}")
    return folder / name


def pick_agent(names: Sequence[str], env_id: str, algo: str | None) -> str | None:
    """Returns the agent among these files; None where that is ambiguous."""
    agents = [name for name in names if name.endswith(_ENDS) and name not in NOT_AGENTS]
    prefixes = ("", f"{algo}-") if algo else ("",)
    stems = [f"{prefix}{env}" for env in older_versions(env_id) for prefix in prefixes]
    wanted = ["best_model.zip"] + [f"{stem}{end}" for stem in stems for end in _ENDS]
    for name in wanted:
        if name in agents:
            return name
    fitting = [name for name in agents if any(env in name for env in older_versions(env_id))]
    for choice in (fitting, agents):
        if len(choice) == 1:
            return choice[0]
    return None


def _with_companions(archive: Path, env_id: str) -> AgentFiles:
    """Finds statistics and settings beside the archive (Hub) or in the env's folder (rl-zoo)."""
    folders = [archive.parent / archive.stem]
    folders += [archive.parent / env for env in older_versions(env_id)]
    folders += [folder for folder in _subfolders(archive.parent) if folder not in folders]
    folders.append(archive.parent)

    def first(*names: str) -> Path | None:
        places = (folder / name for folder in folders for name in names)
        return next((place for place in places if place.is_file()), None)

    config, args, kwargs = map(first, ("config.yml", "args.yml", "env_kwargs.yml"))
    statistics = _of_checkpoint(archive) or first(*STATISTICS)
    unused = () if statistics else tuple(_other_statistics(archive.parent))
    return AgentFiles(archive, statistics, config, args, kwargs, unused)


def _of_checkpoint(archive: Path) -> Path | None:
    """Returns the statistics that stable-baselines3's CheckpointCallback saves with an archive."""
    match = re.fullmatch(r"(.+)_(\d+)_steps", archive.stem)
    if match is None:
        return None
    place = archive.with_name(f"{match[1]}_vecnormalize_{match[2]}_steps.pkl")
    return place if place.is_file() else None


def _other_statistics(folder: Path) -> Iterator[Path]:
    """Yields pickles of a VecNormalize whose names do not say which agent they belong to."""
    for place in sorted(folder.glob("*.pkl")):
        if place.is_file():
            with place.open("rb") as file:
                if b"VecNormalize" in file.read(_BEGINNING):
                    yield place


def _snapshot(path: Path) -> Path:
    """Returns the folder with the files of a repository `models--user--name` of the Hub's cache."""
    snapshots, main = path / "snapshots", path / "refs" / "main"
    if not snapshots.is_dir():
        return path
    if main.is_file():
        place = snapshots / read_bounded(main, 100).decode("ascii", "replace").strip()
        if place.parent == snapshots and place.is_dir():
            return place
    folders = [place for place in snapshots.iterdir() if place.is_dir()]
    return max(folders, key=lambda place: place.stat().st_mtime, default=path)


def _subfolders(folder: Path) -> list[Path]:
    """Returns the folder beside the archive with the settings of a run, if there is only one."""
    found = [entry for entry in folder.iterdir() if (entry / "args.yml").is_file()]
    return found if len(found) == 1 else []
