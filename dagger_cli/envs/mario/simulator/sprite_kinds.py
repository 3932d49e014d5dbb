"""The kinds of sprites (B.3), their bodies (A.4), and the buttons."""

from __future__ import annotations

import numpy as np

MARIO = -31
GOOMBA, WINGED_GOOMBA = 2, 3
RED_KOOPA, WINGED_RED_KOOPA = 4, 5
GREEN_KOOPA, WINGED_GREEN_KOOPA = 6, 7
BULLET = 8
SPIKY, WINGED_SPIKY = 9, 10
FLOWER = 12  # the one in the pipe
SHELL = 13
MUSHROOM = 14
FIRE_FLOWER = 15  # the item
FIREBALL = 25

LEFT, RIGHT, DOWN, SPEED, JUMP = 1, 2, 4, 8, 16  # bits of an action

# What a template of the generator makes: red koopa, green koopa, goomba, spiky, flower.
WALKER_OF_TEMPLATE = np.array([RED_KOOPA, GREEN_KOOPA, GOOMBA, SPIKY], np.int8)
FLOWER_TEMPLATE = 4

HALF_WIDTH = 4  # of every body that collides with tiles
FLOWER_HALF_WIDTH = 2

HEIGHT = np.full(32, 12, np.int8)  # by kind; Mario's own is `game.height`
HEIGHT[RED_KOOPA : WINGED_GREEN_KOOPA + 1] = 24
HEIGHT[FIREBALL] = 8
