from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from dagger_cli.core.errors import CheckpointError
from dagger_cli.tracking.checkpoint import (
    load_policy,
    read_manifest,
    resolve_checkpoint,
    resolve_resumed,
    resolve_run,
    restore,
)

from .toys import ToyEnv, ToyLearner, fingerprint, make_kit, train


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
    assert restore(resolve_resumed(moved), make_kit(4))[0].round == 4


def drop_links(run: Path) -> None:
    for name in ("best", "last"):
        (run / "checkpoints" / name).unlink()


def test_a_run_whose_links_were_lost_or_followed_by_a_copy_is_resumed(
    run: Path, tmp_path: Path
) -> None:
    train(tmp_path / "whole", 6)
    shutil.copytree(run, tmp_path / "flat", symlinks=False)
    shutil.copytree(run, tmp_path / "zip", symlinks=True)
    drop_links(tmp_path / "zip")
    for copy in (tmp_path / "flat", tmp_path / "zip"):
        assert read_manifest(resolve_checkpoint(copy)) == read_manifest(resolve_checkpoint(run))
        assert resolve_resumed(copy).name == "round_0004"
        train(copy, 6, resume=True)
        assert fingerprint(copy, 6) == fingerprint(tmp_path / "whole", 6)


def test_a_folder_in_the_place_of_a_link_that_is_no_copy_is_kept(run: Path, tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    shutil.copytree(run, flat, symlinks=False)
    (flat / "checkpoints/best/notes.txt").write_text("mine")
    with pytest.raises(CheckpointError, match=r"best is a folder and no copy of a round"):
        train(flat, 5, resume=True)
    assert (flat / "checkpoints/best/notes.txt").exists()


def test_without_symbolic_links_the_pointers_are_text_files(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    train(tmp_path / "whole", 5)
    monkeypatch.setattr(os, "symlink", refuse)
    folder = tmp_path / "drive"
    train(folder, 3)
    assert (folder / "checkpoints/last").read_text() == "round_0003\n"
    assert read_manifest(resolve_checkpoint(folder / "last")).round == 3
    train(folder, 5, resume=True)
    names = {path.name for path in (folder / "checkpoints").iterdir()}
    best = read_manifest(resolve_checkpoint(folder / "last")).best.round
    assert names == {"aggregate", "best", "last", "round_0005", f"round_{best:04d}"}
    monkeypatch.undo()
    train(folder, 6, resume=True)  # back on a file system with links
    train(tmp_path / "whole", 6, resume=True)
    assert fingerprint(folder, 6) == fingerprint(tmp_path / "whole", 6)


@pytest.mark.parametrize("text", ["../../elsewhere", "round_0001/..", "last", "", "x" * 99, "/etc"])
def test_a_pointer_leads_to_a_round_beside_it_only(run: Path, text: str) -> None:
    pointer = run / "checkpoints/last"
    pointer.unlink()
    pointer.write_text(text)
    with pytest.raises(CheckpointError, match=r"not to a round beside it|cannot be read"):
        resolve_checkpoint(run / "last")


def test_a_run_continues_from_the_round_given(run: Path, tmp_path: Path) -> None:
    best = resolve_checkpoint(run)
    if best.name == "round_0004":
        pytest.fail("choose another seed: the best round is the last one, too")
    train(tmp_path / "whole", 5)
    shutil.rmtree(run / "checkpoints/round_0004")
    state = restore(resolve_resumed(run / "best"), make_kit(5))[0]
    assert state.round == int(best.name[-4:])


def test_a_damaged_last_round_names_the_best(run: Path) -> None:
    best = resolve_checkpoint(run)
    (run / "checkpoints/last/policy.safetensors").write_bytes(b"x")
    with pytest.raises(CheckpointError) as error:
        restore(resolve_resumed(run), make_kit(6))
    offered = f"({best.name}) is undamaged" in str(error.value)
    assert offered == (best.name != "round_0004")
    if offered:
        assert "run/best continues from it" in str(error.value)


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
    with pytest.raises(CheckpointError, match="not to a round beside it: refused"):
        resolve_checkpoint(run / name)
    link.unlink()
    link.symlink_to("round_0009")
    (link.parent / "round_0009").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CheckpointError, match=r"outside .*refused"):
        resolve_checkpoint(run / name)


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
    with pytest.raises(CheckpointError, match="already contains a run: resume it"):
        train(run, 6)
    assert restore(resolve_resumed(run), make_kit(6))[0].round == 4
