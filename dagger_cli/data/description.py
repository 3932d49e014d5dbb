"""The description of a data set as JSON, in .npz and .parquet files."""

from __future__ import annotations

import json
from typing import Any

from dagger_cli.core.errors import ConfigError
from dagger_cli.data.episodes import FORMAT_VERSION, About
from dagger_cli.data.spaces import as_json, from_json


def about_json(about: About) -> dict[str, Any]:
    """Returns the description as JSON."""
    return {
        "format": "dagger-cli data",
        "version": FORMAT_VERSION,
        "env_id": about.env_id,
        "source": about.source,
        "view": about.view,
        "fps": about.fps,
        "observation_space": as_json(about.observation_space),
        "action_space": as_json(about.action_space),
    }


def read_about(text: str, path: str) -> About:
    """Inverts `about_json`; raises ConfigError for another version and for anything else."""
    try:
        node = json.loads(text)
        version = node["version"]
        if not isinstance(version, int) or not 1 <= version <= FORMAT_VERSION:
            raise ConfigError(
                f"{path} has version {version}, but this program reads up to {FORMAT_VERSION}: "
                "upgrade dagger-cli"
            )
        spaces = (from_json(node[f"{part}_space"]) for part in ("observation", "action"))
        view = str(node["view"]) if version > 1 else ""
        return About(str(node["env_id"]), path, view, int(node["fps"]), *spaces)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as err:
        raise ConfigError(f"{path} has no valid description ({err!r}): write it again") from err
