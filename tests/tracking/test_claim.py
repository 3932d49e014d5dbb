"""Lock of a run folder: one run at a time; a folder without a finished round can be reused."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from dagger_cli.core.errors import ConfigError
from dagger_cli.tracking import run_lock
from dagger_cli.tracking.run_lock import lock_existing_run, lock_new_run
from dagger_cli.tracking.versions import versions


def fill(folder: Path, *, finished: bool) -> None:
    (folder / "versions.json").write_text(json.dumps(versions()))
    (folder / "config.yaml").write_text("seed: 0\n")
    (folder / "checkpoints").mkdir()
    if finished:
        (folder / "checkpoints" / "last").symlink_to("round_0001")


def test_runs_that_want_the_same_folder_at_once_get_one_each(tmp_path: Path) -> None:
    with ExitStack() as stack:
        found = [stack.enter_context(lock_new_run(tmp_path / "now", exact=False)) for _ in range(3)]
        assert [folder.name for folder in found] == ["now", "now_2", "now_3"]
        with pytest.raises(ConfigError, match="now is being trained by another process"):
            stack.enter_context(lock_new_run(tmp_path / "now", exact=True))
        with pytest.raises(ConfigError, match="now_2 is being trained by another process"):
            stack.enter_context(lock_existing_run(tmp_path / "now_2"))
    with lock_existing_run(tmp_path / "now_2"):
        pass


def test_where_folders_cannot_be_locked_a_file_beside_them_is(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(run_lock, "fcntl", None)  # as on Windows
    now = tmp_path / "now"
    with lock_new_run(now, exact=False) as first, lock_new_run(now, exact=False) as second:
        assert (first.name, second.name) == ("now", "now_2")
        with pytest.raises(ConfigError, match="is being trained by another process"):
            lock_existing_run(first).__enter__()
    with lock_existing_run(first):
        pass


def test_a_finished_round_keeps_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(ZeroDivisionError), lock_new_run(folder, exact=True):
        fill(folder, finished=True)
        raise ZeroDivisionError
    assert (folder / "config.yaml").exists()
    with pytest.raises(ConfigError, match=r"already holds a run: resume it \(resume="):
        lock_new_run(folder, exact=True).__enter__()
    with lock_new_run(folder, exact=False) as other:
        assert other.name == "run_2"


def test_what_failed_before_its_first_round_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt), lock_new_run(folder, exact=True):
        fill(folder, finished=False)
        raise KeyboardInterrupt
    assert not folder.exists()


def test_a_folder_that_a_killed_run_left_is_used_again(tmp_path: Path) -> None:
    fill(tmp_path, finished=False)
    with lock_new_run(tmp_path, exact=True) as found:
        assert found == tmp_path and not any(tmp_path.iterdir())


def test_files_of_others_are_never_removed(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("mine")
    (tmp_path / "notes.txt").write_text("mine, too")
    with pytest.raises(ConfigError, match=r"has config.yaml, which no interrupted run leaves"):
        lock_new_run(tmp_path, exact=True).__enter__()
    (tmp_path / "config.yaml").rename(tmp_path / "mine.yaml")
    with pytest.raises(ZeroDivisionError), lock_new_run(tmp_path, exact=True):
        fill(tmp_path, finished=False)
        raise ZeroDivisionError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.yaml", "notes.txt"]


@pytest.mark.parametrize(
    "files",
    [
        {"versions.json": "{}"},
        {"versions.json": "{}", "config.yaml": "mine", "checkpoints/model.pt": "x", "tb/a": "x"},
        {"versions.json": "{}", "checkpoints/round_0001/policy.safetensors": "mine"},
        {"versions.json": None, "checkpoints/model.pt": "mine"},
        {"versions.json": None, "tb/notes.txt": "mine"},
        {"versions.json": None, "summary.json": "{}"},
        {"versions.json": None, "checkpoints/aggregate/round_0002.safetensors": "rows"},
    ],
)
def test_a_folder_with_anything_else_is_left_as_it_is(
    tmp_path: Path, files: dict[str, str | None]
) -> None:
    folder = tmp_path / "run"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(versions()) if text is None else text)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(ConfigError, match="choose another folder"):
        lock_new_run(folder, exact=True).__enter__()
    with lock_new_run(folder, exact=False) as other:
        assert other.name == "run_2"
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_clearing_that_is_killed_is_continued_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, finished=False)
    unlink, removed = Path.unlink, []

    def once(path: Path, missing_ok: bool = False) -> None:
        if removed:
            raise KeyboardInterrupt
        removed.append(path)
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", once)
    with pytest.raises(KeyboardInterrupt):
        lock_new_run(tmp_path, exact=True).__enter__()
    monkeypatch.undo()
    with lock_new_run(tmp_path, exact=True) as found:
        assert found == tmp_path and not any(tmp_path.iterdir())
