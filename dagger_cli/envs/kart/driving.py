"""How karts move and fall, compiled; a step is DT seconds.

The steering moves towards what the driver (and the noise) commands. A kart turns on a circle whose
radius is at least RADIUS and at least what the tyres hold at its speed; half its width is more than
that of the track, so a kart cannot turn round. One that leaves the track falls and is put back on
the centre line where it left, along the track, with straight wheels.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.envs.kart.track import HALF_WIDTH
from dagger_cli.utils.compiled import kernel

DT = 0.05  # s
SPEED = 12.0  # m/s, of a kart without throttle; with it, at the start and after a fall
TOP = 20.0  # m/s
RADIUS = 6.0  # m: of the circle at full steering
GRIP = 24.0  # m/s^2 to the side that the tyres hold
RESPONSE = 0.4  # of the way to the commanded steering, per step
PUSH, BRAKE = 6.0, 12.0  # m/s^2 of full throttle, and of full brakes
START_LEFT, START_ANGLE = 1.0, 0.1  # m and rad: largest distance and angle of a start
CENTRING = 0.125  # reward of the centre line over the edge, see `KartEnv`
STEP = 1 / 1024  # reward that a step with throttle costs; a power of two, so that sums are exact
GRAIN = 2.0**-20  # rewards are multiples of it, for the same reason
AHEAD, EVERY = 10, 2.0  # points of the centre line ahead that `survey` gives, and the m between two

SKY_TURN = 1 / 2400  # whole turns of the stars around the track, per step
SHADOWS_FROM, SHADOWS_TO = 512.0, 640.0  # m: range of the shadows' place at the start
SHADOWS_DRIFT = 0.1  # m per step

# Columns of the numbers, float64, and of the counts, int64, of a kart; camera.py reads the first.
X, Y, HEADING, SKY, SHADOWS_X, SHADOWS_Y = range(6)
STEERING, SPEED_NOW, ALONG, LEFT, TRAVELLED, POTENTIAL = range(6, 12)
PLACE, FALLS, STEPS, SEED = range(4)
N_NUMBERS, N_COUNTS = 12, 4
WINDOW = 6  # points of the centre line before and behind the last place that are searched


@kernel(nogil=True, error_model="numpy")
def uniform(seed: int, counter: int) -> float:
    """Returns a number in [0, 1) that depends on the seed and the counter alone (splitmix64)."""
    z = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(counter)
    z = (z + np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xD1342543DE82EF95)
    for _ in range(2):
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * 2.0**-53


@kernel(nogil=True, error_model="numpy")
def normal(seed: int, counter: int) -> float:
    """Returns a nearly normal number of mean 0 and deviation 1: the sum of twelve uniform ones."""
    total = -6.0
    for i in range(12):
        total += uniform(seed, 12 * counter + i)
    return total


@kernel(nogil=True, error_model="numpy")
def put(numbers: Array, counts: Array, slots: Array, seeds: Array, points: Array, headings: Array,
        spacing: float) -> None:  # fmt: skip
    """Starts a lap in each of `slots` (k,): `seeds` (k,) int64 give its place, sky and shadows."""
    for k in range(len(slots)):
        kart, seed = numbers[slots[k]], seeds[k]
        counts[slots[k]] = 0
        counts[slots[k], SEED] = seed
        i = int(uniform(seed, -1) * len(points))
        left = (2 * uniform(seed, -2) - 1) * START_LEFT
        kart[:] = 0
        kart[HEADING] = headings[i] + (2 * uniform(seed, -3) - 1) * START_ANGLE
        kart[X] = points[i, 0] - left * np.sin(headings[i])
        kart[Y] = points[i, 1] + left * np.cos(headings[i])
        kart[SPEED_NOW], kart[ALONG], kart[LEFT] = SPEED, i * spacing, left
        kart[SKY] = uniform(seed, -4)
        kart[SHADOWS_X] = SHADOWS_FROM + uniform(seed, -5) * (SHADOWS_TO - SHADOWS_FROM)
        kart[SHADOWS_Y] = SHADOWS_FROM + uniform(seed, -6) * (SHADOWS_TO - SHADOWS_FROM)
        counts[slots[k], PLACE] = i


@kernel(nogil=True, error_model="numpy")
def move(kart: Array, steering: float, push: float) -> None:
    """Moves a kart by a step of commands, which may be beyond [-1, 1]."""
    kart[STEERING] += RESPONSE * (min(max(steering, -1.0), 1.0) - kart[STEERING])
    kart[SPEED_NOW] += DT * min(max(push, -1.0), 1.0) * (PUSH if push > 0 else BRAKE)
    kart[SPEED_NOW] = min(max(kart[SPEED_NOW], 0.0), TOP)
    radius = max(RADIUS, kart[SPEED_NOW] ** 2 / GRIP)
    turn = DT * kart[SPEED_NOW] / radius * kart[STEERING]
    middle = kart[HEADING] + turn / 2
    kart[HEADING] += turn
    kart[X] += DT * kart[SPEED_NOW] * np.cos(middle)
    kart[Y] += DT * kart[SPEED_NOW] * np.sin(middle)


@kernel(nogil=True, error_model="numpy")
def place(kart: Array, first: int, points: Array, headings: Array, spacing: float) -> int:
    """Finds the place of a kart on the track, near point `first`; returns the nearest point."""
    n, best, square = len(points), first, np.inf
    for shift in range(-WINDOW, WINDOW + 1):
        i = (first + shift + n) % n
        distance = (kart[X] - points[i, 0]) ** 2 + (kart[Y] - points[i, 1]) ** 2
        if distance < square:
            best, square = i, distance
    dx, dy = kart[X] - points[best, 0], kart[Y] - points[best, 1]
    cos, sin = np.cos(headings[best]), np.sin(headings[best])
    length, along = n * spacing, best * spacing + dx * cos + dy * sin
    moved = along - kart[ALONG]
    moved += length if moved < -length / 2 else -length if moved > length / 2 else 0.0
    kart[TRAVELLED] += moved
    kart[ALONG], kart[LEFT] = along, dy * cos - dx * sin
    return best


@kernel(nogil=True, error_model="numpy")
def put_back(kart: Array, point: Array, heading: float, beyond: float) -> None:
    """Puts a fallen kart `beyond` m after a point of the centre line."""
    kart[X] = point[0] + beyond * np.cos(heading)
    kart[Y] = point[1] + beyond * np.sin(heading)
    kart[HEADING], kart[STEERING], kart[LEFT], kart[SPEED_NOW] = heading, 0.0, 0.0, SPEED


@kernel(nogil=True, error_model="numpy")
def drive(numbers: Array, counts: Array, slots: Array, actions: Array, points: Array,
          headings: Array, spacing: float, noise: float, limit: int, rewards: Array,
          finished: Array, late: Array) -> None:  # fmt: skip
    """Moves each of `slots` (k,) by a step of `actions` (k, 1 or 2).

    `noise` is the standard deviation of what is added to the steering. Writes the rewards, and
    whether a lap is finished or has taken `limit` steps without, (k,) each.
    """
    throttle = actions.shape[1] == 2
    for k in range(len(slots)):
        kart, count = numbers[slots[k]], counts[slots[k]]
        steering = actions[k, 0] + noise * normal(count[SEED], count[STEPS])
        move(kart, steering, actions[k, 1] if throttle else 0.0)
        i = count[PLACE] = place(kart, count[PLACE], points, headings, spacing)
        count[STEPS] += 1
        kart[SKY] += SKY_TURN
        kart[SHADOWS_X] += SHADOWS_DRIFT
        rewards[k] = -STEP if throttle else 0.0
        if abs(kart[LEFT]) > HALF_WIDTH:
            count[FALLS] += 1
            rewards[k] -= 1
            put_back(kart, points[i], headings[i], kart[ALONG] - i * spacing)
        finished[k] = kart[TRAVELLED] >= len(points) * spacing
        late[k] = count[STEPS] >= limit and not finished[k]
        loss = 0.0 if finished[k] or late[k] else CENTRING * (kart[LEFT] / HALF_WIDTH) ** 2
        potential = -np.floor(loss / GRAIN) * GRAIN
        rewards[k] += potential - kart[POTENTIAL]
        kart[POTENTIAL] = potential


@kernel(nogil=True, error_model="numpy")
def survey(numbers: Array, slots: Array, points: Array, headings: Array, spacing: float,
           found: Array) -> None:  # fmt: skip
    """Writes into `found` (n, 3 + 2 AHEAD) what an expert sees of each of `slots`.

    Columns: m to the left of the centre line; angle in rad to its direction; m/s; then x (ahead)
    and y (to the left) in m, from the kart, of points of the centre line EVERY, 2 EVERY, ... on.
    """
    n = len(points)
    for slot in slots:
        kart, row = numbers[slot], found[slot]
        cos, sin = np.cos(kart[HEADING]), np.sin(kart[HEADING])
        i = int(np.floor(kart[ALONG] / spacing + 0.5)) % n
        angle = kart[HEADING] - headings[i]
        row[0] = kart[LEFT]
        row[1] = np.arctan2(np.sin(angle), np.cos(angle))
        row[2] = kart[SPEED_NOW]
        for k in range(AHEAD):
            place = (kart[ALONG] + (k + 1) * EVERY) / spacing
            i = int(np.floor(place))
            share, j = place - i, (i + 1) % n
            i = i % n
            dx = points[i, 0] * (1 - share) + points[j, 0] * share - kart[X]
            dy = points[i, 1] * (1 - share) + points[j, 1] * share - kart[Y]
            row[3 + 2 * k] = dx * cos + dy * sin
            row[4 + 2 * k] = dy * cos - dx * sin
