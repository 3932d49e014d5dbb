from __future__ import annotations

import errno
import json
import math
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from dagger_cli.tracking.safetensors_io import read_arrays, write_arrays
from dagger_cli.utils import files


def fail(*arguments: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    files.write_json(path, {"n": 1})
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        files.write_json(path, {"n": 2})
    assert json.loads(path.read_text()) == {"n": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_append_cuts_the_file_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lines"
    files.append_line(path, "one")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        files.append_line(path, "two")
    assert path.read_text() == "one\n"


def test_a_folder_that_cannot_be_synced_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def of_files(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", of_files)
    files.write_text(tmp_path / "a", "1")
    with files.new_folder(tmp_path / "b") as draft:
        (draft / "x").write_text("1")
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_a_draft_has_a_random_name_and_never_follows_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "metrics.jsonl"
    assert files.draft_of(path) != files.draft_of(path) and files.is_draft(files.draft_of(path))
    victim, draft = tmp_path / "victim", tmp_path / ".guessed.tmp"
    victim.write_text("mine")
    draft.symlink_to(victim)
    monkeypatch.setattr(files, "draft_of", lambda path: draft)
    for write in (files.write_text, files.replace_link):
        with pytest.raises(FileExistsError):
            write(path, "theirs")
        draft.unlink(missing_ok=True)
        draft.symlink_to(victim)
    path.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        files.append_line(path, "theirs")
    assert victim.read_text() == "mine"


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with files.new_folder(tmp_path / "a") as draft:
        (draft / "x").write_text("1")
        assert not (tmp_path / "a").exists()
        assert files.is_draft(draft)
    assert (tmp_path / "a/x").read_text() == "1"
    with pytest.raises(RuntimeError), files.new_folder(tmp_path / "b"):
        raise RuntimeError
    assert os.listdir(tmp_path) == ["a"]


def test_a_link_is_replaced(tmp_path: Path) -> None:
    files.replace_link(tmp_path / "best", "one")
    files.replace_link(tmp_path / "best", "two")
    assert os.readlink(tmp_path / "best") == "two"
    assert os.listdir(tmp_path) == ["best"]


def test_new_files_are_as_readable_as_any_other(tmp_path: Path) -> None:
    files.write_text(tmp_path / "a", "ä")
    (tmp_path / "b").write_text("b")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_json_is_strict_whatever_comes_in(tmp_path: Path) -> None:
    value = {
        "path": Path("a/b"),
        "array": np.arange(3),
        "scalar": np.float32(0.5),
        "nan": math.nan,
        "deep": [(np.inf, {1: True})],
        "text": "[ 1,  2 ]",
    }
    files.write_json(tmp_path / "a.json", value)
    text = (tmp_path / "a.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail) == {
        "path": "a/b",
        "array": [0, 1, 2],
        "scalar": 0.5,
        "nan": None,
        "deep": [[None, {"1": True}]],
        "text": "[ 1,  2 ]",
    }
    assert '"array": [0, 1, 2]' in text


def test_arrays_of_every_kind_come_back_the_same(tmp_path: Path) -> None:
    kinds = ("?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8")
    arrays = {kind: np.array([[0, 1, 2], [3, 4, 5]]).astype(kind) for kind in kinds}
    arrays |= {
        "transposed": np.arange(6.0).reshape(2, 3).T,
        "strided": np.arange(10)[::3],
        "scalar": np.array(2.5),
        "flag": np.array(True),
        "empty": np.zeros((0, 4), np.float32),
        "nan": np.array([np.nan, -0.0, np.inf]),
    }
    sha256 = write_arrays(tmp_path / "a", arrays)
    again = read_arrays(tmp_path / "a", sha256, within=tmp_path)
    assert again.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (again[name].dtype, again[name].shape) == (array.dtype, array.shape), name
        assert again[name].tobytes() == array.tobytes(), name
        assert again[name].flags.writeable
