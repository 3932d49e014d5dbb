"""What Python calls: a label for each of many positions in one compiled call."""

from __future__ import annotations

from dagger_cli.envs.mario.compiled import compiled, entry_point
from dagger_cli.envs.mario.generator import make_stage
from dagger_cli.envs.mario.layout import HEAD_WORDS, SPRITE_WORDS, Array
from dagger_cli.experts.mario_planner.search import search
from dagger_cli.experts.mario_planner.tree import Settings, Tree


@entry_point
def plan(
    games: Array, words: Array, tree: Tree, settings: Settings, out: Array, used: Array
) -> None:
    """Fill `out` (n,) with the buttons to hold, `used` (n,) with how many positions that took."""
    tree.stages[0].columns = 0
    for i in range(len(games)):
        n = HEAD_WORDS + games[i].n_sprites * SPRITE_WORDS
        for word in range(n):
            tree.words[0, word] = words[i, word]
        if i == 0 or not same_stage(games, i, i - 1):
            game = games[i]
            make_stage(
                tree.stages[0], game.seed, int(game.difficulty), int(game.kind), int(game.columns)
            )
        out[i], used[i] = search(tree, settings)


@compiled
def same_stage(games: Array, one: int, other: int) -> bool:
    """Whether two games are played on the same stage."""
    a, b = games[one], games[other]
    return bool(
        a.seed == b.seed
        and a.difficulty == b.difficulty
        and a.kind == b.kind
        and a.columns == b.columns
    )
