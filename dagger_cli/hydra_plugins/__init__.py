"""Launchers and sweepers of Hydra that are part of this package."""
