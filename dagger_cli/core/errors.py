"""Errors caused by the user or the outside world; bugs of this package stay plain exceptions.

DaggerError               exit code 2, one sentence, no traceback
|-- ConfigError           an invalid key, value or combination
|-- EnvError              an environment that cannot be created or violates its interface
|-- ExpertError           an expert that cannot be found, read or matched to the environment
|   `-- HubUnreachable    no reply from the Hub; `expert.fallback` may help
|-- CheckpointError       a run or checkpoint that is missing, damaged or of another kind
|-- Paused                a run that waits for labels
`-- Pruned                a job of a sweep that ends early
"""


class DaggerError(Exception):
    """Error with a one-sentence message: what, where, and how to fix it."""


class ConfigError(DaggerError):
    """Invalid key, value or combination."""


class EnvError(DaggerError):
    """Environment that cannot be created or violates its interface."""


class ExpertError(DaggerError):
    """Expert that cannot be found, read or matched to the environment."""


class HubUnreachable(ExpertError):
    """No reply from the Hub (no network, time-out, server errors)."""


class CheckpointError(DaggerError):
    """Run or checkpoint that is missing, damaged, newer than this program, or of another kind."""


class Paused(DaggerError):
    """The run waits for labels, see `DeferredExpert`; not an error."""


class Pruned(DaggerError):
    """The run ends early, as it is behind others of its sweep; not an error."""


class Terminated(KeyboardInterrupt):
    """The process was told to end by a signal; handled like Ctrl-C."""

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.signal = signal
