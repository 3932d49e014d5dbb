"""`expert=pong_ram`: plays Pong by what the console's memory says of ball and paddles.

Teaches a student that sees images only. The addresses of ball and paddles are those of the
annotated memory of Anand et al. 2019 (Unsupervised State Representation Learning in Atari); the
motions were measured frame by frame:

- The ball moves 1 pixel a frame to the side and leaves a paddle by -2, -1, 0, 1 or 2 pixels a
  frame up or down, depending only on where it hits.
- The other paddle follows the ball by 2 pixels a frame, but rests in every eighth, so it lags 1
  pixel in 4 frames behind a steep ball. It misses a ball that still rises, or has fallen for long,
  when it arrives. Where this player meets the ball decides which edge sends it that way.
- An action turns a knob by 23 pixels; every second frame the paddle covers half of its way to it.

So the ball's way is computed, and of all sequences of 5 actions the one is begun that takes the
paddle nearest to the wanted place in the frame of the hit. While the ball is away it stays.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Acts, Array, Card, Observation, Space

BALL_X, BALL_Y, SPEED_X, SPEED_Y = 49, 54, 58, 56  # speeds: signed, x counts down to the right
PADDLE, NEXT, KNOB, FRAME = 51, 60, 4, 8  # the paddle, where it will be, its knob, a counter
TOP, BOTTOM, HIT = 45, 206, 188  # y of the walls, x of the paddle
HIGHEST, LOWEST = 38, 205  # of the paddle's upper end
TURN, SKIP = 5.75, 4  # pixels of the knob a frame, frames an action
AHEAD, EARLY = 5, 12  # actions that are planned; actions before the hit from which it moves
PRICE = 1.0  # pixels nearer that an action must bring
UPPER, LOWER = 0.5, 13.5  # from the paddle's upper end to the ball, to send it up or down steeply
DIRECTIONS = np.array(list(itertools.product((-1, 1, 0), repeat=AHEAD)), np.float64)
STAY, UP, DOWN = 0, 2, 3
COLUMN, FIELD = 74, slice(14, 77)  # of a picture: within the paddle; rows between the walls
GREY, BRIGHTER, ROW = 87, 60, 2.5  # background, paddle above it, pixels of the screen in a row


@dataclass(frozen=True)
class PongRam:
    """Source of the expert; it has no settings."""

    def load(self, env_id: str, observation_space: Space, action_space: Space) -> RamPlayer:
        """Returns the player; raises ExpertError for another environment or other options of it."""
        if not env_id.startswith("Pong-"):
            raise ExpertError(
                f"expert=pong_ram plays Pong, not '{env_id}'; use env=atari env.game=pong"
            )
        if action_space.sizes != (6,) or observation_space.shape != (4, 84, 84):
            raise ExpertError(
                "expert=pong_ram needs the 6 actions and 4 images of 84x84 pixels of Pong with "
                f"env.kwargs={{}}, but this has {action_space.sizes} and {observation_space.shape}"
            )
        digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
        return RamPlayer(
            Card("Pong by its memory", "dagger_cli.experts.pong_ram", digest, code=True)
        )


@dataclass(frozen=True)
class RamPlayer:
    """The right player; needs the 128 bytes as privileged data."""

    card: Card

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Returns the actions, (n,); raises ExpertError where the memory is not shown."""
        if observation.privileged is None or observation.privileged.shape[1:] != (128,):
            raise ExpertError(
                "expert=pong_ram needs the console's memory: env.hidden=ram env.backend=envpool"
            )
        return Acts(
            actions(observation.privileged, observation.obs[:, -1]),
            np.ones(len(observation), bool),
        )


def actions(memory: Array, pictures: Array) -> Array:
    """Returns an action for each memory (n, 128) and last picture (n, 84, 84), both uint8."""
    ram = memory.astype(np.int64)
    frames = HIT - ram[:, BALL_X]
    comes = (ram[:, BALL_X] > 0) & (ram[:, BALL_Y] > 0) & (_signed(ram[:, SPEED_X]) < 0)
    near = np.flatnonzero(comes & (frames > 0) & (frames <= SKIP * EARLY))
    chosen = np.full(len(ram), STAY)
    if near.size:
        ram, frames = ram[near], frames[near]
        place = _wanted(_height(ram, frames))
        met = _places(ram, _knob(ram, pictures[near]), frames)
        cost = np.abs(met - place[:, None]) + PRICE * np.abs(DIRECTIONS).sum(1)
        first = DIRECTIONS[cost.argmin(1), 0]
        chosen[near] = np.select([first < 0, first > 0], [UP, DOWN], STAY)
    return chosen


def _height(ram: Array, frames: Array) -> Array:
    """Returns y of the ball after this number of frames, (n,); walls reflect it."""
    y, down = ram[:, BALL_Y], _signed(ram[:, SPEED_Y])
    for frame in range(frames.max()):
        turns = ((down < 0) & (y <= TOP)) | ((down > 0) & (y >= BOTTOM))
        down = np.where(turns, -down, down)
        y = np.where(frame < frames, y + down + np.where(turns, np.sign(down), 0), y)
    return y


def _wanted(ball: Array) -> Array:
    """Returns where the paddle should meet a ball that comes at this y.

    Sent down from above 120, it arrives at the other side rising; sent up from 126 to 159, it has
    fallen for long. Sent down from further below, it mostly comes back to one of these places. Near
    the upper wall the paddle's lower end cannot meet it, but sent up it arrives rising, too.
    """
    upwards = (ball < 53) | ((ball > 125) & (ball < 160))
    return np.where(upwards, ball - UPPER, ball - LOWER)


def _places(ram: Array, knob: Array, frames: Array) -> Array:
    """Returns where each sequence of actions takes the paddle at the hit, (n, sequences).

    Where that is more actions away than are planned, it is where the knob will be.
    """
    shape = len(ram), len(DIRECTIONS)
    paddle, goal, knobs = (
        np.broadcast_to(part[:, None].astype(np.float64), shape)
        for part in (ram[:, PADDLE], ram[:, NEXT], knob)
    )
    met = paddle
    for frame in range(1, SKIP * AHEAD + 1):
        knobs = np.clip(knobs + TURN * DIRECTIONS[:, (frame - 1) // SKIP], HIGHEST, LOWEST)
        moves = ((ram[:, FRAME] + frame) % 2 == 0)[:, None]
        paddle, goal = (
            np.where(moves, paddle, goal),
            np.where(moves, np.floor((goal + knobs) / 2), goal),
        )
        met = np.where((frames == frame)[:, None], paddle, met)
    return np.where((frames > SKIP * AHEAD)[:, None], knobs, met)


def _knob(ram: Array, pictures: Array) -> Array:
    """Returns where the knob is, (n,) in pixels of the paddle.

    The memory has it in even frames; in odd ones the byte is the other player's. Then the picture,
    the maximum of two frames, shows where the paddle was before its last motion, and that was half
    of the way to the knob. A motion of 5 pixels and more says that the knob is still being turned.
    """
    paddle = ram[:, PADDLE]
    bright = np.clip(pictures[:, FIELD, COLUMN].astype(np.int64) - GREY, 0, BRIGHTER)
    mass = bright.sum(1)
    length = mass * ROW / BRIGHTER
    rows = np.arange(FIELD.start, FIELD.stop)
    middle = ((bright * rows).sum(1) / np.maximum(mass, 1) + 0.5) * ROW
    shown = paddle + paddle % 2  # it is drawn at even pixels
    moved = np.where((length > 15) & (length < 38), paddle - 2 * (middle + 6) + shown + 0.5, 0.0)
    turned = np.where(np.abs(moved) >= 5, TURN * np.sign(moved), 0.0)
    return np.where(ram[:, FRAME] % 2 == 0, ram[:, KNOB], paddle + moved + 0.75 + turned)


def _signed(byte: Array) -> Array:
    return (byte + 128) % 256 - 128
