"""dagger-cli: train policies by interactive imitation from the command line."""

__version__ = "0.1.0"
