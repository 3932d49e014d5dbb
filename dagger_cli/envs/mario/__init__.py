"""The platform game of the 2009 competition: simulator, stages, observations."""

from dagger_cli.envs.mario.recording import replay

__all__ = ["replay"]
