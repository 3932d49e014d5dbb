"""Kinds of sprites, their bodies, and the buttons (docs/mario_rules.md, B.3, A.4, B.1)."""

from __future__ import annotations

import numpy as np

MARIO = -31
GOOMBA, WINGED_GOOMBA = 2, 3
RED_KOOPA, WINGED_RED_KOOPA = 4, 5
GREEN_KOOPA, WINGED_GREEN_KOOPA = 6, 7
BULLET = 8
SPIKY, WINGED_SPIKY = 9, 10
FLOWER = 12  # the pipe flower
SHELL = 13
MUSHROOM = 14
FIRE_FLOWER = 15  # the item
FIREBALL = 25

LEFT, RIGHT, DOWN, SPEED, JUMP = 1, 2, 4, 8, 16  # bits of an action

# Kind of walker by template of the generator: red koopa, green koopa, goomba, spiky.
WALKER_OF_TEMPLATE = np.array([RED_KOOPA, GREEN_KOOPA, GOOMBA, SPIKY], np.int8)
FLOWER_TEMPLATE = 4

HALF_WIDTH = 4  # of every body that collides with tiles
FLOWER_HALF_WIDTH = 2

HEIGHT = np.full(32, 12, np.int8)  # by kind; Mario's own is `game.height`
HEIGHT[RED_KOOPA : WINGED_GREEN_KOOPA + 1] = 24
HEIGHT[FIREBALL] = 8
