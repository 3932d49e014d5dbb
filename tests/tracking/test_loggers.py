"""The config group `logger`: the loggers, what they write, and a logger that fails."""

from __future__ import annotations

import csv
import json
import sys

import pytest

from tests.e2e.running import TINY, dagger, metrics, train

OWN = """
from pathlib import Path

class Counting:
    def __init__(self, fail_in: int) -> None:
        self.fail_in = fail_in

    def start(self, run):
        self.path = Path(run.folder) / "counted"

    def log(self, finished):
        if finished.state.round == self.fail_in:
            raise ConnectionError("no network")
        with self.path.open("a") as file:
            file.write(f"{finished.state.round}\\n")
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "counting.py").write_text(OWN)
    monkeypatch.delitem(sys.modules, "counting", raising=False)
    return ("+logger.own._target_=counting.Counting",)


def test_without_a_choice_a_run_has_lines_and_events(tmp_path):
    run = train(cwd=tmp_path)
    assert len(metrics(run)) == 3 and list((run / "tb").iterdir())


def test_csv_has_the_numbers_of_the_lines(tmp_path):
    run = train("logger=[csv,jsonl]", cwd=tmp_path)
    with (run / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row, line in zip(rows, metrics(run), strict=True):
        assert {k: float(v) for k, v in row.items() if v} == {
            k: pytest.approx(v) for k, v in line.items() if v is not None
        }
    done = dagger("train", f"resume={run}", "rounds=4", "logger=[csv,jsonl]", cwd=tmp_path)
    assert done.code == 0 and done.out == "" and not (run / "tb").exists()
    assert len((run / "metrics.csv").read_text().splitlines()) == 1 + 4


def test_the_console_can_be_left_out_and_nothing_else_changes(tmp_path):
    done = dagger("train", *TINY, "logger=jsonl", "hydra.run.dir=quiet", cwd=tmp_path)
    assert (done.code, done.out, done.err) == (0, "", "")
    loud = train(cwd=tmp_path)
    files = [p / "checkpoints" / "last" / "policy.safetensors" for p in (tmp_path / "quiet", loud)]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_logger_of_ones_own_is_called_every_round(tmp_path, own):
    run = train(*own, "+logger.own.fail_in=0", cwd=tmp_path)
    assert (run / "counted").read_text() == "1\n2\n3\n"
    resume = json.loads((run / "summary.json").read_text())["commands"]["resume"]
    assert "+logger.own._target_=counting.Counting" in resume


def test_a_failing_logger_warns_once_and_the_run_goes_on(tmp_path, own):
    words = (*own, "+logger.own.fail_in=2", "hydra.run.dir=run")
    done = dagger("train", *TINY, *words, cwd=tmp_path)
    assert done.code == 0 and len(metrics(tmp_path / "run")) == 3
    assert done.err == (
        "warning: logger 'own' failed and is not used any more (ConnectionError: no network)\n"
    )
    assert (tmp_path / "run" / "counted").read_text() == "1\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("logger=[nope]", "logger=nope: there is no such option"),
        (
            "+logger.own._target_=counting.Counting",
            "logger.own.fail_in needs a value: give +logger.own.fail_in=...",
        ),
        ("+logger.own._target_=pathlib.Path", "logger.own (PosixPath) has no method log(finished)"),
        ("+logger.own._target_=no.Such", "logger.own._target_=no.Such cannot be imported"),
        ("logger.csv.x=1", "there is no key 'logger.csv'"),
    ],
)
def test_bad_choices_end_in_a_sentence_and_leave_nothing(tmp_path, own, words, sentence):
    done = dagger("train", *TINY, *words.split(), "hydra.run.dir=run", cwd=tmp_path)
    assert done.code == 2 and sentence in done.err and len(done.err.splitlines()) == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["wandb", "mlflow", "trackio"])
def test_a_missing_extra_is_named(tmp_path, name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, f"{name}.tracking", None)
    done = dagger("train", *TINY, f"logger={name}", "hydra.run.dir=run", cwd=tmp_path)
    assert done.code == 2 and f"pip install 'dagger-cli[{name}]'" in done.err
    assert not (tmp_path / "run").exists()


@pytest.mark.filterwarnings("ignore")
def test_wandb_offline(tmp_path):
    pytest.importorskip("wandb", reason="wandb is not installed")
    words = ("logger=[jsonl,wandb]", "logger.wandb.mode=offline", "hydra.run.dir=run")
    done = dagger("train", *TINY, *words, cwd=tmp_path)
    assert done.code == 0 and "warning: logger" not in done.err
    (folder,) = (tmp_path / "run" / "wandb").glob("offline-run-*")
    assert list(folder.glob("*.wandb"))


@pytest.mark.filterwarnings("ignore")
def test_mlflow_in_the_runs_folder(tmp_path):
    pytest.importorskip("mlflow", reason="mlflow is not installed")
    from mlflow.tracking import MlflowClient

    words = ("logger=[jsonl,mlflow]", "hydra.run.dir=run")
    assert dagger("train", *TINY, *words, cwd=tmp_path).code == 0
    more = dagger("train", "resume=run", "rounds=4", "logger=[jsonl,mlflow]", cwd=tmp_path)
    assert more.code == 0 and "warning" not in more.err
    client = MlflowClient(f"sqlite:///{tmp_path / 'run' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("dagger-cli")
    (run,) = client.search_runs([experiment.experiment_id])
    history = client.get_metric_history(run.info.run_id, "train/labels")
    assert [point.step for point in history] == [100, 200, 300, 400]
    assert run.data.params["trainer.name"] == "dagger"


@pytest.mark.filterwarnings("ignore")
def test_trackio_on_this_machine(tmp_path, monkeypatch):
    pytest.importorskip("trackio", reason="trackio is not installed")
    words = ("logger=[jsonl,trackio]", "hydra.run.dir=run")
    done = dagger("train", *TINY, *words, cwd=tmp_path, TRACKIO_DIR=str(tmp_path / "trackio"))
    assert done.code == 0 and "warning" not in done.err, done.err
