"""Platform game of the 2009 competition: simulator, stages, observations (docs/mario_rules.md)."""

from dagger_cli.envs.mario.recording import replay

__all__ = ["replay"]
