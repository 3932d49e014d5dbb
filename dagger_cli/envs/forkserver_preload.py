"""Imported by the server that forks the workers, so that each of them starts in milliseconds."""

import contextlib
import importlib

from dagger_cli.envs.gym import swig_warnings_ignored

for _name in ("gymnasium.envs.classic_control", "gymnasium.envs.box2d"):
    # Box2D may be missing, with an error of Gymnasium's own; the server must survive it.
    with contextlib.suppress(Exception), swig_warnings_ignored():
        importlib.import_module(_name)
