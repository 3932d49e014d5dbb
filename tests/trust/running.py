"""Commands run in forked children, see server.py, and what every outcome must satisfy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

REPOSITORY = Path(__file__).parents[2]
TINY = (
    "env=cartpole", "expert=bundled", "env.workers=0", "n_envs=2", "steps_per_round=60",
    "policy.sizes=[8]", "policy.gradient_steps=5", "validation.episodes=1",
    "validation.queries=5", "evaluation.episodes=1",
)  # fmt: skip
CANARY = "canary"  # a file that only foreign code would create


class Outcome(NamedTuple):
    """Outcome of a command."""

    words: Sequence[str]
    code: int
    hung: bool
    seconds: float
    peak_mb: int
    out: str
    err: str

    @property
    def fault(self) -> str | None:
        """What must never happen whatever the input is; None where all is well."""
        if self.hung:
            return "it hung"
        if "Traceback" in self.err or self.code not in (0, 2):
            return f"exit code {self.code}: {self.err[-800:]}"
        if self.code == 2 and not self.err.strip().splitlines()[-1:][0].startswith("dagger: "):
            return f"no sentence: {self.err[-800:]}"
        return None


class Commands:
    """A server of commands, with `places` on its path; a context manager."""

    def __init__(self, *places: str, **environ: str) -> None:
        env = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
        env["PYTHONPATH"] = os.pathsep.join(
            [str(REPOSITORY), *places, *filter(None, [os.environ.get("PYTHONPATH")])]
        )
        env |= environ
        self._server = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.trust.server"],
            cwd=REPOSITORY,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._read() == "ready\n"

    def run(
        self,
        words: Sequence[str],
        cwd: Path,
        *,
        timeout: float = 60,
        memory_mb: int = 6000,
        env: dict[str, str] | None = None,
        kill_at: int | None = None,
        kill_in: str = ".",
    ) -> Outcome:
        """Runs `dagger` with these words in `cwd`.

        With `kill_at` the process is killed at its access of this number to the folder `kill_in`.
        """
        request: dict[str, Any] = {
            "words": list(words),
            "cwd": str(cwd),
            "timeout": timeout,
            "memory_mb": memory_mb,
            "env": env or {},
            "kill_at": kill_at,
            "kill_in": kill_in,
        }
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return Outcome(words, **json.loads(self._read()))

    def close(self) -> None:
        """Ends the server."""
        self._server.communicate(timeout=60)

    def __enter__(self) -> Commands:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self) -> str:
        assert self._server.stdout is not None
        return self._server.stdout.readline()
