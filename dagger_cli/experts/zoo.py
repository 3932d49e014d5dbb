"""`expert=zoo`: the folder of agents that rl_zoo3 creates, `<folder>/<algo>/<env id>_<n>/`.

Created by `python -m rl_zoo3.load_from_hub --algo a2c --env BipedalWalker-v3
-f rl-trained-agents/`, by cloning rl-trained-agents, or by `python -m rl_zoo3.train` (in `logs`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from dagger_cli.core.errors import ConfigError, ExpertError
from dagger_cli.core.types import Expert, Space
from dagger_cli.experts.path import Path as FromPath
from dagger_cli.experts.sb3.agent_folder import older_versions
from dagger_cli.utils.system import at_home


@dataclass(frozen=True)
class Zoo:
    """`run`: number of the environment's folder, None for the highest one."""

    folder: str
    algo: str
    run: int | None
    deterministic: bool

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_]+", self.algo):
            raise ConfigError(f"expert.algo must be one word such as a2c, got '{self.algo}'")

    def load(self, env_id: str, observation_space: Space, action_space: Space) -> Expert:
        path = self._path(env_id)
        source = FromPath(path=str(path), algo=self.algo, deterministic=self.deterministic)
        return source.load(env_id, observation_space, action_space)

    def _path(self, env_id: str) -> Path:
        root = at_home(self.folder)
        if not root.is_dir():
            raise ExpertError(
                f"expert.folder '{root}' does not exist; create it with `python -m "
                f"rl_zoo3.load_from_hub --algo {self.algo} --env {env_id} -f {root}`"
            )
        for version in older_versions(env_id):
            runs = {_number(path): path for path in _runs(root / self.algo, version)}
            if runs and (self.run is None or self.run in runs):
                return runs[max(runs) if self.run is None else self.run]
        there = sorted(f"{p.parent.name}/{p.name}" for p in root.glob("*/*") if p.is_dir())
        has = f"it has {', '.join(there[:20])}" if there else "it contains no <algo>/<env id>_<n>"
        which = "" if self.run is None else f" of run {self.run}"
        raise ExpertError(
            f"no {self.algo} agent for '{env_id}'{which} in '{root}'; {has}: "
            "set expert.algo or expert.folder"
        )


def _runs(folder: Path, env_id: str) -> list[Path]:
    name = env_id.replace("/", "-")  # as rl_zoo3 writes it
    return [path for path in folder.glob(f"{name}_*") if _number(path) >= 0]


def _number(path: Path) -> int:
    tail = path.name.rpartition("_")[2]
    return int(tail) if tail.isdigit() else -1
