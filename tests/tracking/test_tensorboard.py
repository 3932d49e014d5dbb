from __future__ import annotations

import errno
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

from dagger_cli.core.errors import CheckpointError
from dagger_cli.tracking.metrics import scalars
from dagger_cli.tracking.tensorboard import TensorBoard

from .test_metrics import finished


@pytest.fixture(autouse=True)
def first_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of one second are told apart by a counter, and 10 comes before 9 in a folder."""
    from tensorboard.summary.writer import event_file_writer as writer

    monkeypatch.setattr(writer, "_global_uid", writer.AtomicCounter(0))


def read(folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    events = EventAccumulator(str(folder))
    events.Reload()
    return events


def points(events: Any, tag: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in events.Scalars(tag)]


def test_what_was_logged_is_read_back_over_labels(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, round=0, labels=0)
    board.start("env:\n  id: toy")
    for round in (1, 2):
        board(finished(round))
    board.close()
    events = read(tmp_path)
    assert points(events, "train/round") == [(100, 1), (200, 2)]
    assert set(events.Tags()["scalars"]) == {*scalars(finished(1)), "train/round"}
    text = events.Tensors("config/text_summary")[0].tensor_proto.string_val[0]
    assert text == b"    env:\n      id: toy\n"


def test_events_are_on_the_disk_after_every_round(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, round=0, labels=0)
    board(finished(1))
    assert points(read(tmp_path), "train/labels") == [(100, 100)]
    board.close()


def test_resuming_hides_the_rounds_that_are_done_again(tmp_path: Path) -> None:
    first = TensorBoard(tmp_path, round=0, labels=0)
    for round in (1, 2, 3):
        first(finished(round, loss=1.0))
    first.close()
    again = TensorBoard(tmp_path, round=1, labels=100)
    for round in (2, 3):
        again(finished(round, loss=2.0))
    again.close()
    assert points(read(tmp_path), "train/loss") == [(100, 1.0), (200, 2.0), (300, 2.0)]


def test_rounds_without_new_labels_are_not_doubled(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder, rounds in ((whole, (1, 2, 3)), (cut, (1, 2))):
        board = TensorBoard(folder, round=0, labels=0)
        for round in rounds:
            board(finished(round, loss=float(round), labels=100))
        if folder == cut:
            board.finish({"seed": 0}, {"final/return_mean": 1.0})
        board.close()
    (cut / "notes.txt").write_text("mine")
    again = TensorBoard(cut, round=1, labels=100)
    for round in (2, 3):
        again(finished(round, loss=float(round), labels=100))
    again.close()
    for tag in ("train/loss", "train/round", "train/labels"):
        assert points(read(cut), tag) == points(read(whole), tag)
    assert "final/return_mean" not in read(cut).Tags()["scalars"]
    assert (cut / "notes.txt").exists()


def test_hparams_are_in_the_same_folder_and_of_every_type(tmp_path: Path) -> None:
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    board = TensorBoard(tmp_path, round=1, labels=300)
    settings = {"beta": "linear", "lr": 1e-3, "rounds": 20, "warm": True, "sizes": [64, 64]}
    board.finish({**settings, "resume": None}, {"test/return_mean": 299.0})
    board.close()
    assert all(entry.is_file() for entry in tmp_path.iterdir())
    events = read(tmp_path)
    assert points(events, "test/return_mean") == [(300, 299.0)]
    content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    stored = HParamsPluginData.FromString(content).session_start_info.hparams
    shown = {name: getattr(value, value.WhichOneof("kind")) for name, value in stored.items()}
    assert shown == {
        "beta": "linear",
        "lr": 1e-3,
        "rounds": 20,
        "warm": True,
        "sizes": "[64, 64]",
        "resume": "None",
    }


def test_a_full_disk_is_one_sentence_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tensorboard.summary.writer.record_writer import RecordWriter

    printed: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", printed.append)
    before = set(threading.enumerate())
    board = TensorBoard(tmp_path, round=0, labels=0)
    [worker] = set(threading.enumerate()) - before

    def full(self: object, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(RecordWriter, "write", full)
    with pytest.raises(CheckpointError, match="no space left on device"):
        board(finished(1))
    worker.join(5)
    assert not worker.is_alive() and not printed
