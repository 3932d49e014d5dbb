"""Settings of a game: difficulty, kind and length of the stage, time limit, start mode."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

from dagger_cli.core.errors import ConfigError
from dagger_cli.envs.mario.simulator.state import MAX_COLUMNS


@dataclass(frozen=True)
class Rules:
    """Settings as on the original's command line; raises ConfigError outside their ranges."""

    difficulty: int  # useful from 0 to 12; pits from 1, cannons and spikies from 3 on
    kind: int  # of the stage: 0 overground, 1 underground, 2 castle
    columns: int  # tiles; the competition's stages had 320
    time_limit: int  # of the game's seconds (15 ticks); 0: no limit
    mode: int  # 0 small, 1 large, 2 large with fire

    RANGES: ClassVar = {
        "difficulty": (0, 1000),
        "kind": (0, 2),
        "columns": (96, MAX_COLUMNS),
        "time_limit": (0, 100_000),
        "mode": (0, 2),
    }

    def __post_init__(self) -> None:
        for field in fields(self):
            low, high = self.RANGES[field.name]
            value = getattr(self, field.name)
            if not low <= value <= high:
                raise ConfigError(f"Mario's {field.name} must be {low} to {high}, got {value}")


PAPER = Rules(difficulty=1, kind=0, columns=MAX_COLUMNS, time_limit=60, mode=2)
