from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from dagger_cli.core.errors import CheckpointError
from dagger_cli.tracking.checkpoint import (
    load_policy,
    read_manifest,
    resolve_checkpoint,
    resolve_run,
    restore,
)

from .toys import ToyEnv, ToyLearner, make_kit, train


@pytest.fixture
def run(tmp_path: Path) -> Path:
    train(tmp_path / "run", 4)
    return tmp_path / "run"


@pytest.mark.parametrize("inside", ["", "best", "checkpoints", "checkpoints/best"])
def test_a_run_stands_for_its_best_checkpoint(run: Path, inside: str) -> None:
    best = read_manifest(run / "checkpoints/last").best.round
    expected = (run / f"checkpoints/round_{best:04d}").resolve()
    assert resolve_checkpoint(str(run / inside)) == expected
    assert resolve_checkpoint(expected) == expected


@pytest.mark.parametrize("inside", ["last", "checkpoints/last", "checkpoints/round_0004"])
def test_last_is_the_newest_round(run: Path, inside: str) -> None:
    assert read_manifest(resolve_checkpoint(run / inside)).round == 4


def test_paths_may_be_relative(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run / "checkpoints")
    assert resolve_run(".") == run.resolve()
    assert resolve_checkpoint("last") == resolve_checkpoint(run / "last")


@pytest.mark.parametrize(
    "inside",
    ["", "best", "last", "checkpoints", "checkpoints/last", "checkpoints/last/checkpoint.json"],
)
def test_a_run_is_found_from_anything_inside_it(run: Path, inside: str) -> None:
    assert resolve_run(run / inside) == run.resolve()


def test_a_lone_copy_of_a_checkpoint_can_be_evaluated_but_not_resumed(
    run: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run / "checkpoints/best", copy)
    load_policy(resolve_checkpoint(copy), ToyLearner(), ToyEnv.action_space)
    with pytest.raises(CheckpointError, match=r"copy of one checkpoint.*run folder it came from"):
        resolve_run(copy)


def test_a_moved_run_and_one_copied_without_links_can_be_evaluated(
    run: Path, tmp_path: Path
) -> None:
    shutil.copytree(run, tmp_path / "flat", symlinks=False)
    load_policy(resolve_checkpoint(tmp_path / "flat"), ToyLearner(), ToyEnv.action_space)
    moved = run.rename(tmp_path / "moved")
    assert restore(resolve_run(moved), make_kit(4))[0].round == 4


def test_a_run_copied_without_links_is_not_resumed_nor_touched(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "flat", symlinks=False)
    before = sorted(tmp_path.glob("flat/**/*"))
    with pytest.raises(CheckpointError, match="cp -a"):
        train(tmp_path / "flat", 5, resume=True)
    assert sorted(tmp_path.glob("flat/**/*")) == before


def test_only_best_and_last_are_kept(run: Path) -> None:
    links = {name: (run / "checkpoints" / name).readlink() for name in ("best", "last")}
    assert not any(link.is_absolute() for link in links.values())
    kept = {entry.name for entry in (run / "checkpoints").iterdir()}
    assert kept == {"aggregate", "best", "last"} | {str(link) for link in links.values()}
    shards = {entry.name for entry in (run / "checkpoints/aggregate").iterdir()}
    assert shards == {f"round_{i:04d}.safetensors" for i in range(1, 5)}


def test_other_files_among_the_checkpoints_are_left_alone(run: Path) -> None:
    (run / "checkpoints/notes.txt").write_text("mine")
    (run / "checkpoints/.round_0009.1.tmp").mkdir()
    train(run, 6, resume=True)
    assert (run / "checkpoints/notes.txt").exists()
    assert not (run / "checkpoints/.round_0009.1.tmp").exists()


def test_nothing_there(tmp_path: Path, run: Path) -> None:
    for resolve in (resolve_checkpoint, resolve_run):
        with pytest.raises(CheckpointError, match=r"no run or checkpoint at .*rum; .* has run$"):
            resolve(tmp_path / "rum")
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(CheckpointError, match="is empty"):
            resolve(tmp_path / "empty")
        (tmp_path / "empty").rmdir()
    with pytest.raises(CheckpointError, match="neither a run nor a checkpoint"):
        resolve_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match="is a file"):
        resolve_checkpoint(run / "metrics.jsonl")
    with pytest.raises(CheckpointError, match=r"has no checkpoint\.json"):
        read_manifest(run)


def test_a_run_without_a_finished_round(tmp_path: Path) -> None:
    (tmp_path / "checkpoints/aggregate").mkdir(parents=True)
    for resolve in (resolve_checkpoint, resolve_run):
        with pytest.raises(CheckpointError, match=r"no finished round.*train it again"):
            resolve(tmp_path)


@pytest.mark.parametrize("name", ["best", "last"])
def test_links_that_lead_out_of_the_run_are_refused(run: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(run / "checkpoints/last", tmp_path / "elsewhere")
    link = run / "checkpoints" / name
    link.unlink()
    link.symlink_to(os.path.relpath(tmp_path / "elsewhere", link.parent))
    with pytest.raises(CheckpointError, match=r"outside .*refused"):
        resolve_checkpoint(run / name)
    if name == "last":
        with pytest.raises(CheckpointError, match=r"outside .*refused"):
            restore(run, make_kit(4))


def test_array_files_that_lead_out_of_the_checkpoint_are_refused(run: Path, tmp_path: Path) -> None:
    checkpoint = resolve_checkpoint(run)
    shutil.move(checkpoint / "policy.safetensors", tmp_path / "policy.safetensors")
    (checkpoint / "policy.safetensors").symlink_to(tmp_path / "policy.safetensors")
    with pytest.raises(CheckpointError, match=r"outside .*refused"):
        load_policy(checkpoint, ToyLearner(), ToyEnv.action_space)


def test_a_dangling_link(run: Path) -> None:
    shutil.rmtree(resolve_checkpoint(run / "last"))
    with pytest.raises(CheckpointError, match="points to round_0004, which does not exist"):
        resolve_checkpoint(run / "last")


def test_a_folder_that_already_holds_a_run_is_not_trained_over(run: Path) -> None:
    with pytest.raises(CheckpointError, match="already contains a run of 4 rounds"):
        train(run, 6)
    assert restore(run, make_kit(6))[0].round == 4
