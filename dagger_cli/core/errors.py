"""What can go wrong by the user's or the world's doing; our own bugs stay plain exceptions.

DaggerError               exit code 2, one sentence, no traceback
|-- ConfigError           a key, a value or a combination that cannot work
|-- EnvError              an environment that cannot be made or does not behave
|-- ExpertError           an expert that cannot be found, read or matched to the environment
|   `-- HubUnreachable    the Hub did not answer; `expert.fallback` may help
`-- CheckpointError       a run or checkpoint that is missing, damaged or of another kind
"""


class DaggerError(Exception):
    """A sentence for the user: what, where, and how to fix it."""


class ConfigError(DaggerError):
    """A key, a value or a combination that cannot work."""


class EnvError(DaggerError):
    """An environment that cannot be made or does not behave."""


class ExpertError(DaggerError):
    """An expert that cannot be found, read or matched to the environment."""


class HubUnreachable(ExpertError):
    """The Hub did not answer (no network, time-out, server errors)."""


class CheckpointError(DaggerError):
    """A run or checkpoint that is missing, damaged, newer than this program, or of another kind."""
