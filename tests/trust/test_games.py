"""Altered games of Mario: refused, or harmless to the compiled code that plays them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Plays altered games in forked children, so that a crash is seen and does not end the tests.
SCRIPT = """
import json, os, random, signal, sys
import numpy as np
from dagger_cli.core.errors import EnvError
from dagger_cli.envs.mario.env import MarioEnv, Play
from dagger_cli.envs.mario.rules import Rules
from dagger_cli.envs.mario.simulator.state import games_of

seed, count = int(sys.argv[1]), int(sys.argv[2])
play = Play(Rules(8, 0, 320, 60, 2), 3, "features", "died")
env = MarioEnv(play, 1)
env.reset(np.arange(1), np.arange(1))
rng = np.random.default_rng(seed)
for _ in range(40):
    env.step(np.arange(1), np.array([[0, 1, rng.random() < 0.5, 1]]))
saved = env.snapshot()
EXTREME = [0, 1, -1, 2, 63, 64, 100, 127, -128, 255, 1000, 32767, -32768, 2**31 - 1, 1e30, np.nan]

def altered(rng):
    games = games_of(saved["games"].copy())
    for _ in range(rng.randint(1, 4)):
        node = games["sprites"] if rng.random() < 0.6 else games
        name = rng.choice([n for n in node.dtype.names if n not in ("sprites", "spare")])
        value = rng.choice(EXTREME) if rng.random() < 0.5 else rng.uniform(-300, 6000)
        with np.errstate(all="ignore"):
            cast = np.array(value).astype(node[name].dtype)
        flat = node[name].reshape(-1)
        flat[rng.randrange(min(len(flat), 12))] = cast
    return {**saved, "games": games.view(np.uint8).reshape(1, -1)}

def child(rng):
    try:
        env.restore(altered(rng))
    except EnvError:
        return 1
    for _ in range(200):
        if env.batch.games["status"][0] != 2:
            break
        env.step(np.arange(1), np.array([[rng.random() < 0.2, 1, rng.random() < 0.5, 1]]))
    return 0

counts = {}
for number in range(count):
    pid = os.fork()
    if pid == 0:
        signal.alarm(10)
        os._exit(child(random.Random(f"{seed} {number}")))
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    counts[code] = counts.get(code, 0) + 1
print(json.dumps(counts))
"""


def test_altered_games(seed: int, scale: float) -> None:
    command = [sys.executable, "-c", SCRIPT, str(seed), str(int(60 * scale))]
    env = {**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    counts = json.loads(done.stdout)
    # 0: played on, 1: refused; anything else is a signal or an error.
    assert set(counts) == {"0", "1"}, counts
