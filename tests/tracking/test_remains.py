"""Entries of a run folder that came from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagger_cli.core.errors import CheckpointError
from dagger_cli.tracking.remains import check_links, remove_drafts


@pytest.mark.parametrize("name", ["tb", "checkpoints", "metrics.jsonl", "wandb", "mlflow.db"])
def test_links_that_lead_out_of_the_run_are_refused(tmp_path: Path, name: str) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (run / name).symlink_to("../elsewhere")
    with pytest.raises(CheckpointError, match=r"points to .*elsewhere, outside .*: refused"):
        check_links(run)


def test_links_among_events_and_of_the_aggregate_are_refused(tmp_path: Path) -> None:
    for folder in ("tb", "checkpoints"):
        (tmp_path / "run" / folder).mkdir(parents=True)
    check_links(tmp_path / "run")
    event = tmp_path / "run/tb/events.out.tfevents.1.host.1.0"
    event.symlink_to("../config.yaml")
    with pytest.raises(CheckpointError, match="is a symbolic link, which no run writes"):
        check_links(tmp_path / "run")
    event.unlink()
    (tmp_path / "run/checkpoints/aggregate").symlink_to(tmp_path)
    with pytest.raises(CheckpointError, match="outside"):
        check_links(tmp_path / "run")


def test_drafts_are_removed_and_their_links_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    run = tmp_path / "run"
    run.mkdir()
    (run / ".metrics.jsonl.123.tmp").symlink_to(victim)
    (run / ".summary.json.0a1b.tmp").write_text("{")
    (run / ".notes.x.tmp").write_text("mine")
    remove_drafts(run)
    assert [path.name for path in run.iterdir()] == [".notes.x.tmp"]
    assert victim.read_text() == "mine"
