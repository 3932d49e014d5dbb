"""rl-zoo's settings beside an archive: the environment that the agent was trained in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagger_cli.experts.sb3.safe_yaml import MAX_YAML_BYTES, read_yaml
from dagger_cli.networks.agent_files import read_bounded

TIME_FEATURE, FLAT_OBS = "TimeFeatureWrapper", "FlatObsWrapper"
# Entries of env.wrappers that do the same.
OURS = {TIME_FEATURE: "time_feature", FLAT_OBS: "flat_obs", "MaskVelocityWrapper": "mask_velocity"}
_MAX_WORDS = 200  # characters shown of an untrusted text


@dataclass(frozen=True)
class Settings:
    """`normalised`: observations were; `wrappers`: their names; empty texts: none."""

    normalised: bool
    wrappers: tuple[str, ...]
    env_kwargs: str
    trained_in: Any

    @staticmethod
    def read(config: Path | None, args: Path | None, env_kwargs: Path | None) -> Settings:
        """Reads config.yml, args.yml and env_kwargs.yml; raises ExpertError if one is damaged."""
        told, called = _yaml(config), _yaml(args)
        normalize = told.get("normalize", False)
        raw = re.search(r"norm_obs['\"]?\s*[=:]\s*False", str(normalize))
        kwargs = _yaml(env_kwargs) or called.get("env_kwargs") or ""
        return Settings(
            bool(normalize) and not raw,
            tuple(_wrappers(told)),
            _one_line(kwargs),
            called.get("env"),
        )

    @property
    def time_feature(self) -> bool:
        """Whether the observations had the time left in the episode at their end."""
        return TIME_FEATURE in self.wrappers

    def behind(self, *applied: str) -> str:
        """Returns the names of the wrappers, without those that are applied already."""
        return ", ".join(name for name in self.wrappers if name not in applied)[:_MAX_WORDS]

    def hint(self) -> str:
        """Returns what gives an environment these wrappers."""
        if set(self.wrappers) <= set(OURS):
            return f"add env.wrappers=[{', '.join(OURS[name] for name in self.wrappers)}]"
        return "use one with the same wrappers"


def _yaml(path: Path | None) -> dict[str, Any]:
    return {} if path is None else read_yaml(read_bounded(path, MAX_YAML_BYTES))


def _wrappers(config: Mapping[str, Any]) -> Iterator[str]:
    """Yields names, from a string, a list, or mappings from names to arguments."""
    for key in ("env_wrapper", "vec_env_wrapper"):
        value = config.get(key) or ()
        for wrapper in value if isinstance(value, list) else [value]:
            names = wrapper if isinstance(wrapper, dict) else [wrapper]
            yield from (_one_line(name).rpartition(".")[2] for name in names if name)
    if config.get("frame_stack"):
        yield f"a stack of {_one_line(config['frame_stack'])} frames"


def _one_line(value: Any) -> str:
    return " ".join(str(value).split())[:_MAX_WORDS]
