"""`dagger` whose seconds by phase, in metrics.jsonl, are processor seconds of its process.

Other programs on the machine do not change them much. `time/round` is all of a round, with the
checkpoint of the one before.
"""

from __future__ import annotations

import time
from types import SimpleNamespace

from dagger_cli.cli.main import main
from dagger_cli.core import kit


def count_processor_seconds() -> None:
    """Changes the stopwatch of this process."""
    begun, usual = time.process_time(), kit.Stopwatch.lap

    def lap(self: kit.Stopwatch) -> dict[str, float]:
        nonlocal begun
        now = time.process_time()
        whole, begun = now - begun, now
        return {**usual(self), "round": whole}

    kit.Stopwatch.lap = lap  # type: ignore[method-assign]
    kit.time = SimpleNamespace(perf_counter=time.process_time)  # type: ignore[assignment]


if __name__ == "__main__":
    count_processor_seconds()
    main()
