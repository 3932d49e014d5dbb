"""`env=atari`: a game by its name, with the preprocessing of Mnih et al. 2015.

EnvPool has it in C++: 1 to 30 no-ops at the start, every action for 4 frames, the maximum of the
last two of them, 84x84 grey pixels, the last 4 such images stacked, FIRE at the start where a game
needs it. A score is that of a whole game, with rewards that are not clipped.
"""

from __future__ import annotations

from typing import Any

from dagger_cli.envs.gym import GymSource


def atari(*, game: str, id: str | None = None, **keys: Any) -> GymSource:
    """Returns the source of a game such as `pong` or `space_invaders`.

    Args:
        game: its name in lower case, words joined by underscores.
        id: of a saved run; determined by the game.
        keys: of GymSource. Raises EnvError where there is no such game.
    """
    del id
    name = "".join(word.capitalize() for word in game.split("_"))
    return GymSource(id=f"{name}-v5", **keys)
