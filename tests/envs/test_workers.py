"""Worker processes that die, are interrupted, or lose their parent."""

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time

import gymnasium
import numpy as np
import pytest

from dagger_cli.core.errors import ConfigError, EnvError
from dagger_cli.envs import gym, subprocess_engine
from dagger_cli.envs.worker_count import seconds_a_step

from .helpers import source

ALL = np.arange(2)

SCRIPT = """
import numpy as np
from dagger_cli.envs.gym import GymSource

if __name__ == "__main__":
    env = GymSource(id="CartPole-v1", imports=None, kwargs={}, max_episode_steps=None,
                    fresh_simulator=False, workers=2, backend="gymnasium",
                    failure="none").open(3)
    print("stepping", flush=True)
    slots = np.arange(3)
    while True:
        env.reset(slots, slots)
        env.step(slots, slots % 2)
"""


def test_a_killed_worker_is_noticed():
    env = source("toy/Killed-v0", workers=2).open(2)
    env.reset(ALL, ALL)
    env.step(ALL, ALL)
    env.step(ALL, ALL)
    begin = time.monotonic()
    with pytest.raises(EnvError, match=r"worker 0 of env 'toy/Killed-v0' died"):
        env.step(ALL, ALL)
    assert time.monotonic() - begin < 5
    with pytest.raises(EnvError, match="are closed"):
        env.reset(ALL, ALL)
    env.close()


def test_close_ends_the_workers():
    before = set(multiprocessing.active_children())
    env = source("CartPole-v1", workers=2).open(3)
    assert len(set(multiprocessing.active_children()) - before) == 2
    env.close()
    assert set(multiprocessing.active_children()) <= before


def test_a_worker_that_cannot_make_its_environment_says_so():
    good = source("CartPole-v1", workers=1)
    object.__setattr__(good, "id", "CartPool-v1")  # as if it were registered in this process only
    with pytest.raises(EnvError, match=r"no env 'CartPool-v1'; nearest: CartPole-v1"):
        good.open(2)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("how", ["ctrl-c", "kill"])
def test_no_orphans_and_no_noise(how, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    parent = subprocess.Popen(
        [sys.executable, "-W", "error", str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell lets what it runs in the background ignore Ctrl-C; this is about the foreground.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    assert parent.stdout.readline() == "stepping\n"
    if how == "ctrl-c":
        os.killpg(parent.pid, signal.SIGINT)  # a terminal sends it to the whole group
    else:
        parent.kill()
    # Every process it started holds its output open, so this returns when the last one is gone.
    _, errors = parent.communicate(timeout=20)
    assert errors.count("Traceback") == (1 if how == "ctrl-c" else 0), errors
    assert "leaked" not in errors


@pytest.mark.parametrize(
    ("cores", "n_envs", "microseconds", "expected"),
    [
        (1, 8, 500, 0),
        (2, 8, 500, 1),  # BipedalWalker: worth a signal
        (2, 8, 12, 0),  # CartPole: not
        (2, 64, 12, 1),
        (16, 8, 5000, 7),
        (16, 8, 200, 3),  # every further worker is a further signal
        (16, 1, 5000, 0),
    ],
)
def test_auto_takes_the_workers_that_pay(monkeypatch, cores, n_envs, microseconds, expected):
    monkeypatch.setattr(gym, "usable_cores", lambda: cores)
    monkeypatch.setattr(gym, "seconds_a_step", lambda make: microseconds * 1e-6)
    assert source("CartPole-v1", workers="auto")._n_workers(n_envs) == expected


def test_a_step_is_measured_in_an_environment_of_its_own():
    made = []

    class Slow(gymnasium.Env):
        action_space = gymnasium.spaces.Discrete(2)
        closed = False

        def reset(self, **_):
            return 0, {}

        def step(self, action):
            time.sleep(0.01)
            return 0, 0.0, False, False, {}

        def close(self):
            self.closed = True

    def make():
        made.append(Slow())
        return made[-1]

    assert seconds_a_step(make) >= 0.01
    assert [env.closed for env in made] == [True]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no PYTHONSAFEPATH")
def test_the_folder_one_is_in_gives_workers_no_modules(tmp_path):
    """A module of the standard library's name beside a checkpoint of a stranger's."""
    here, script = tmp_path / "here", tmp_path / "script" / "start.py"
    here.mkdir()
    script.parent.mkdir()
    for name in ("selectors", "signal", "struct"):
        (here / f"{name}.py").write_text("open('sung', 'w')\n")
    script.write_text(
        "from dagger_cli.envs.subprocess_engine import context\n"
        "if __name__ == '__main__':\n"
        "    process = context().Process(target=print, args=('alive',))\n"
        "    process.start()\n"
        "    process.join()\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], cwd=here, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("alive\n", "") and not (here / "sung").exists()


@pytest.mark.parametrize(
    ("name", "workers", "says"),
    [
        ("HangingWorker", 1, r"worker 0 of env .* has not answered for 0\.5 s and is ended: raise"),
        (
            "Hanging",
            1,
            r"failed in step\(\): TimeoutError: longer than 0\.5 s \(env\.step_timeout\)",
        ),
        ("Hanging", 0, r"failed in step\(\): TimeoutError: longer than 0\.5 s"),
    ],
)
def test_a_step_that_does_not_return_is_ended(name, workers, says):
    before = set(multiprocessing.active_children())
    env = source(f"toy/{name}-v0", workers=workers, step_timeout=0.5).open(2)
    env.reset(ALL, ALL)
    env.step(ALL, ALL)
    begin = time.monotonic()
    with pytest.raises(EnvError, match=says):
        env.step(ALL, ALL)
    env.close()
    assert time.monotonic() - begin < 10
    assert set(multiprocessing.active_children()) <= before


def test_workers_are_given_up_after_five_minutes_unless_told_otherwise():
    assert subprocess_engine.LONGEST == 300
    assert source("CartPole-v1").step_timeout is None
    with pytest.raises(ConfigError, match=r"env\.step_timeout must be > 0, got 0"):
        source("CartPole-v1", step_timeout=0)


def test_too_many_workers_for_the_open_files_are_refused(monkeypatch):
    limits = {"now": (60, 60)}
    monkeypatch.setattr(resource, "getrlimit", lambda which: limits["now"])
    monkeypatch.setattr(resource, "setrlimit", lambda which, both: limits.update(now=both))
    with pytest.raises(EnvError, match=r"100 worker processes need some \d+ .* but 60 are"):
        source("CartPole-v1", workers=100).open(101)
    limits["now"] = (60, 5000)
    subprocess_engine._need_files(100)
    assert 500 < limits["now"][0] < 5000


def test_sockets_of_workers_fit_where_tmpdir_is_long(tmp_path):
    folder = tmp_path / ("scratch_of_a_job_" * 7)
    folder.mkdir()
    words = SCRIPT.replace("while True:", "for _ in range(2):") + "    env.close()\n"
    (tmp_path / "play.py").write_text(words)
    done = subprocess.run(
        [sys.executable, tmp_path / "play.py"],
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
