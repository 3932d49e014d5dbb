"""What is known of an environment before it is stepped: spaces, limit, pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dagger_cli.core.types import Space
from dagger_cli.envs.creation import keeps_its_world
from dagger_cli.envs.dict_rows import DictRows
from dagger_cli.envs.envpool_ids import spec_of
from dagger_cli.envs.spaces import space_of, to_space

DEFAULT_FPS = 30  # for environments without render_fps


@dataclass(frozen=True)
class Description:
    """An environment; `layout` of Dict observations, `horizon` its maximum number of steps.

    `keeps_world`: its reset keeps state of the last episode; `repeats`: it is known to play the
    same episode for the same seed.
    """

    observation_space: Space
    action_space: Space
    layout: DictRows | None
    horizon: int | None
    render_modes: tuple[str, ...] = ()
    fps: int = DEFAULT_FPS
    keeps_world: bool = False
    repeats: bool = True


def of_gymnasium(env: Any, env_id: str) -> Description:
    """Describes a Gymnasium environment; raises EnvError where its spaces are not supported."""
    modes, fps = ((env.metadata or {}).get(key) for key in ("render_modes", "render_fps"))
    space = getattr(env, "observation_space", None)
    layout = _layout(space, env_id)
    return Description(
        layout.space if layout else space_of(env, role="observation", env_id=env_id),
        space_of(env, role="action", env_id=env_id),
        layout,
        env.spec.max_episode_steps,
        tuple(modes or ()),
        int(fps or DEFAULT_FPS),
        keeps_its_world(env),
        type(env.unwrapped).__module__.startswith("gymnasium.envs."),
    )


def of_envpool(env_id: str, options: Mapping[str, Any], limit: int | None) -> Description:
    """Describes an environment that EnvPool alone has; raises EnvError, as `of_gymnasium`.

    Actions in a Box are float32, as in Gymnasium's version of the same environment; EnvPool gets
    them in the dtype that it wants.
    """
    spec = spec_of(env_id, options)
    layout = _layout(spec.observation_space, env_id, sort=True)
    seen = (
        layout.space
        if layout
        else to_space(spec.observation_space, role="observation", env_id=env_id)
    )
    action = to_space(spec.action_space, role="action", env_id=env_id)
    if action.kind == "box":
        action = replace(action, dtype="float32")
    return Description(seen, action, layout, limit or spec.max_episode_steps)


def _layout(space: Any, env_id: str, *, sort: bool = False) -> DictRows | None:
    return DictRows.of(space, env_id, sort=sort) if type(space).__name__ == "Dict" else None
