"""`train` and `load_run`: runs from Python."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagger_cli.api.overrides import said_in_a_sentence, words_of
from dagger_cli.api.policies import LoadedPolicy, load_policy


@dataclass(frozen=True)
class Run:
    """Run on disk; `path` is its folder, as printed by `dagger train`."""

    path: Path

    @property
    def config(self) -> dict[str, Any]:
        """Config of the run, with every value resolved."""
        import yaml

        config: dict[str, Any] = yaml.safe_load((self.path / "config.yaml").read_text("utf-8"))
        return config

    @property
    def summary(self) -> dict[str, Any]:
        """Contents of summary.json: final scores of `student` and `expert`, and usage.

        Raises FileNotFoundError where the run is unfinished.
        """
        summary: dict[str, Any] = json.loads((self.path / "summary.json").read_text("utf-8"))
        return summary

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """Logged metrics, one dict per round; empty without `logger=jsonl`."""
        path = self.path / "metrics.jsonl"
        lines = path.read_text("utf-8").splitlines() if path.is_file() else []
        return [json.loads(line) for line in lines]

    def load_policy(self, which: str = "best", *, trust: Sequence[str] = ()) -> LoadedPolicy:
        """Loads the policy of the `best` or the `last` round; see `load_policy`."""
        return load_policy(self.path / which, trust=trust)

    def resume(self, overrides: Sequence[str] | str = ()) -> Run:
        """Continues the run, such as `run.resume(["rounds=20"])`."""
        from dagger_cli.utils.quoting import hydra_quoted

        return train([f"resume={hydra_quoted(str(self.path))}", *words_of(overrides)])


def train(overrides: Sequence[str] | str = ()) -> Run:
    """Runs `dagger train` with these overrides, such as `["env=cartpole", "rounds=3"]`.

    Relative paths start from the current folder. Raises DaggerError with the message that the
    command would print.
    """
    from dagger_cli.cli.compose import composed
    from dagger_cli.cli.dispatch import trained

    with said_in_a_sentence(), composed("train", words_of(overrides)) as cfg:
        return Run(trained(cfg).absolute())


def load_run(path: str | Path) -> Run:
    """Returns the run in a folder; raises CheckpointError where there is none."""
    from dagger_cli.tracking.locate import resolve_run

    return Run(resolve_run(path).absolute())
