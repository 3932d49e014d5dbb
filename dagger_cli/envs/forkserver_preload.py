"""Imports of the server that forks the workers, so that each worker starts in milliseconds."""

import contextlib
import importlib

from dagger_cli.envs.creation import swig_warnings_ignored

for _name in ("gymnasium.envs.classic_control", "gymnasium.envs.box2d"):
    # Box2D may be missing, with an error of Gymnasium's own, which the server must survive.
    with contextlib.suppress(Exception), swig_warnings_ignored():
        importlib.import_module(_name)
