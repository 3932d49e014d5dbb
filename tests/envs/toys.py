"""Small environments that tests register by `imports`, in this process and in workers."""

import multiprocessing
import os
import signal
import time
from typing import ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

OBS = spaces.Box(-np.inf, np.inf, (2,), np.float64)


class Toy(gymnasium.Env):
    """Shows (sum of all actions so far, seeded noise); pays the sum; ends well after 5 steps."""

    metadata: ClassVar[dict] = {"render_modes": []}

    def __init__(self, action_space, observation_space=OBS, render_mode=None):
        self.action_space = action_space
        self.observation_space = observation_space
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.taken = []
        return self._obs(), {}

    def step(self, action):
        assert self.action_space.contains(action), f"{action!r} is not in {self.action_space}"
        self.taken.append(action)
        return self._obs(), float(np.sum(self.taken)), len(self.taken) >= 5, False, {}

    def _obs(self):
        if isinstance(self.observation_space, spaces.Discrete):
            return len(self.taken) + self.observation_space.start
        return np.array([np.sum(self.taken), self.np_random.random()])


class Breaking(Toy):
    """At the third step it raises, or kills the worker it lives in."""

    def __init__(self, killed, render_mode=None):
        super().__init__(spaces.Discrete(2))
        self.killed = killed

    def step(self, action):
        in_worker = multiprocessing.parent_process() is not None
        if len(self.taken) == 2 and self.killed and in_worker:
            os.kill(os.getpid(), signal.SIGKILL)
        if len(self.taken) == 2 and not self.killed:
            raise ZeroDivisionError("a bug of the toy")
        return super().step(action)


class Hanging(Toy):
    """At the second step it does not return, here or in a worker."""

    def __init__(self, in_worker, render_mode=None):
        super().__init__(spaces.Discrete(2))
        self.in_worker = in_worker

    def step(self, action):
        here = (multiprocessing.parent_process() is not None) == self.in_worker
        while len(self.taken) == 1 and here:
            time.sleep(0.01)
        return super().step(action)


class Forgetful(Toy):
    """Ends whenever it likes, whatever the seed."""

    resets = 0

    def __init__(self, render_mode=None):
        super().__init__(spaces.Discrete(2))

    def step(self, action):
        obs, reward, _, _, info = super().step(action)
        return obs, reward, len(self.taken) > 4 - self.resets, False, info

    def reset(self, *, seed=None, options=None):
        self.resets += 1
        return super().reset(seed=seed)


class Crooked(Toy):
    """Its first observation is not of the shape it promised."""

    def _obs(self):
        return np.zeros(1)


class Parts(gymnasium.Env):
    """A Dict of three kinds, one of them inside another Dict; `wrong` leaves one out."""

    observation_space = spaces.Dict(
        {
            "z": spaces.Box(-1.0, 1.0, (2,), np.float64),
            "a": spaces.Discrete(3, start=1),
            "inner": spaces.Dict({"b": spaces.MultiBinary(2), "m": spaces.MultiDiscrete([2, 3])}),
        }
    )
    action_space = spaces.Discrete(2)

    def __init__(self, wrong=False, render_mode=None):
        self.wrong = wrong

    def _obs(self):
        inner = {"m": np.array([1, 2]), "b": np.array([0, 1], np.int8)}
        return {"z": np.array([0.25, self.t]), "inner": inner, "a": 2}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0.0
        return self._obs(), {}

    def step(self, action):
        self.t += 0.5
        obs = self._obs()
        if self.wrong:
            del obs["a"]
        return obs, 0.0, False, self.t >= 1, {}


def _register(name, entry_point, **kwargs):
    gymnasium.register(f"toy/{name}-v0", entry_point=entry_point, kwargs=kwargs)


_register("Offset", Toy, action_space=spaces.Discrete(3, start=-1))
_register(
    "Counter",
    Toy,
    action_space=spaces.MultiBinary(3),
    observation_space=spaces.Discrete(6, start=10),
)
_register("MultiDiscrete", Toy, action_space=spaces.MultiDiscrete([2, 3]))
_LOW, _HIGH = np.array([-1, 0]), np.array([2, 5])
_register("Box", Toy, action_space=spaces.Box(_LOW, _HIGH, dtype=np.float32))
_register("WholeBox", Toy, action_space=spaces.Box(_LOW, _HIGH, dtype=np.int64))
_register("MultiBinary", Toy, action_space=spaces.MultiBinary(3))
_register("ShiftedMulti", Toy, action_space=spaces.MultiDiscrete([2, 3], start=[1, 0]))
_register(
    "Dict",
    Toy,
    action_space=spaces.Discrete(2),
    observation_space=spaces.Dict({"a": OBS}),
)
for _name, _space in {
    "Tuple": spaces.Tuple((OBS, OBS)),
    "Text": spaces.Text(5),
    "PictureInDict": spaces.Dict({"eye": spaces.Box(0, 255, (40, 36, 3), np.uint8)}),
    "ManyInDict": spaces.Dict({"many": spaces.Discrete(200_000)}),
    "TextInDict": spaces.Dict({"a": OBS, "word": spaces.Text(5)}),
}.items():
    _register(_name, Toy, action_space=spaces.Discrete(2), observation_space=_space)
_register("Parts", Parts)
_register("Raising", Breaking, killed=False)
_register("Killed", Breaking, killed=True)
_register("Hanging", Hanging, in_worker=False)
_register("HangingWorker", Hanging, in_worker=True)
_register("Forgetful", Forgetful)
_register("Crooked", Crooked, action_space=spaces.Discrete(2))
