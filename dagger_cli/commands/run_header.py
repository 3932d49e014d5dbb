"""The settings that `dagger train` prints before the first round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dagger_cli.config.build import TrainJob
from dagger_cli.utils.files import shown_path


def header(job: TrainJob, folder: Path) -> list[tuple[str, str]]:
    """Returns the settings as (name, value) pairs."""
    config, budget, card = job.config, job.kit.budget, job.kit.expert.card
    size = f"{budget.total:,} labels in {budget.rounds} rounds of about {budget.steps(0):,}"
    header = [
        ("env", f"{config['env']['id']}, {config['n_envs']} at once{_backend(config['env'])}"),
        ("expert", f"{card.name} ({card.source})"),
        ("policy", " ".join(_words(config["policy"], ("sizes", "activation")))),
        ("trainer", config["trainer"]["name"]),
        ("budget", size),
        ("seed", str(config["seed"])),
        ("run", shown_path(folder)),
    ]
    if job.env.source is not job.env.full:
        header.insert(1, ("view", " ".join(_changed(config["view"]))))
    if isinstance(config["trainer"].get("beta"), Mapping):
        header.insert(len(header) - 3, ("beta", " ".join(_words(config["beta_schedule"], None))))
    return header


def _backend(env: Mapping[str, Any]) -> str:
    return f", by {env['backend']}" if "backend" in env else ""


def _changed(view: Mapping[str, Any]) -> Iterator[str]:
    """Yields the keys of a view that change what is seen."""
    for key, value in view.items():
        if key not in ("_target_", "name", "grey") and value not in (None, 0, False, 1):
            yield f"{key}={value}"


def _words(node: Mapping[str, Any], keys: tuple[str, ...] | None) -> Iterator[str]:
    yield str(node.get("name") or str(node["_target_"]).rpartition(".")[2].lower())
    for key in keys or [key for key in node if key not in ("_target_", "name", "by")]:
        if key in node:
            yield f"{key}={node[key]}"
