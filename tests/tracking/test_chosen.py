"""What the user chose, in the HPARAMS tab of TensorBoard, and the curve in its IMAGES tab."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import dagger_cli
from dagger_cli.loggers.interface import RunInfo
from dagger_cli.tracking.metrics import read_points
from dagger_cli.tracking.run_words import run_words
from dagger_cli.tracking.tensorboard import TensorBoard
from dagger_cli.utils.curve import SIZE, Point
from dagger_cli.utils.curve_png import curve_png
from tests.e2e.running import TINY, dagger, train

from .test_tensorboard import read

CONFIG = {
    "seed": 3,
    "rounds": 7,
    "labels": None,
    "env": {"name": "cartpole", "id": "CartPole-v1", "kwargs": {}},
    "expert": {"_target_": "x.Bundled"},
    "policy": {"name": "mlp", "sizes": [16], "learning_rate": 0.01},
    "trainer": {"name": "sup", "_target_": "x.Sup"},
}
FIRST = {"trainer": "sup", "env": "cartpole", "seed": 3}


def chosen(*words: str) -> dict[str, Any]:
    return RunInfo(Path("run"), CONFIG, "", 0, 0, words).chosen


@pytest.mark.parametrize(
    ("words", "more"),
    [
        ((), {}),
        (("seed=3", "trainer=sup", "env=cartpole"), {}),
        (("rounds=${x}",), {"rounds": 7}),  # the value of the run
        (("policy=mlp", "expert=bundled"), {"policy": "mlp", "expert": "bundled"}),
        (("policy.sizes=[16]",), {"policy.sizes": [16]}),
        (("++env.kwargs.wind=2",), {"env.kwargs.wind": "2"}),
        (("experiment=walker",), {"experiment": "walker"}),
        (("logger=csv", "+logger.own.x=1", "resume=run", "trust=[a]", "~policy.decay"), {}),
        (("hydra.run.dir=x", "hydra/launcher=joblib", "labeller=processes", "retry=true"), {}),
    ],
)
def test_trainer_environment_and_seed_come_first_and_then_the_words(words, more):
    found = chosen(*words)
    assert found == FIRST | more and list(found)[:3] == ["trainer", "env", "seed"]


def columns(events: Any) -> dict[str, bool]:
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    content = events.SummaryMetadata("_hparams_/experiment").plugin_data.content
    infos = HParamsPluginData.FromString(content).experiment.hparam_infos
    return {info.name: info.differs for info in infos}


def test_the_first_three_are_marked_so_that_the_tab_shows_them_first(tmp_path):
    board = TensorBoard(tmp_path, round=1, labels=300)
    board.finish(chosen("rounds=7", "policy.sizes=[16]"), {"final/return_mean": 1.0})
    board.close()
    marked = {"trainer": True, "env": True, "seed": True}
    assert columns(read(tmp_path)) == marked | {"rounds": False, "policy.sizes": False}


def test_a_resumed_run_keeps_the_words_of_the_first(tmp_path):
    run = train("beta=exponential", cwd=tmp_path)
    first = run_words(run)
    assert first == (*TINY, "beta_schedule=exponential")
    assert dagger("train", "resume=run", "rounds=4", cwd=tmp_path).code == 0
    assert run_words(run) == first
    versions = json.loads((run / "versions.json").read_text())
    assert {"dagger-cli", "python", "packages", "words"} <= set(versions)
    events = read(run / "tb")
    keys = {word.partition("=")[0] for word in first} - {"gif"}
    assert set(columns(events)) == {"trainer", "env", "seed"} | keys
    (image,) = events.Images("curve")
    assert (image.step, image.width, image.height) == (400, *SIZE)
    assert len(read_points(run / "metrics.jsonl", 4)) == 4


def test_a_run_of_the_api_has_its_words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = dagger_cli.train([*TINY, "rounds=1", "logger=jsonl"])
    assert run_words(run.path)[-2:] == ("rounds=1", "logger=jsonl")


@pytest.mark.parametrize("text", [None, "[", "[]", '{"words": 3}', "{}"])
def test_words_that_are_not_known_are_none(tmp_path, text):
    if text is not None:
        (tmp_path / "versions.json").write_text(text)
    assert run_words(tmp_path) == ()


def test_the_expert_is_a_dashed_line_of_the_curve():
    points = [Point(100, 1.0, 0.1), Point(200, 2.0, 0.1)]
    plain, dashed = (
        Image.open(io.BytesIO(curve_png(points, "title", expert))) for expert in (None, 5.0)
    )
    assert plain.size == dashed.size == SIZE
    width = SIZE[0] - 100  # of the axes

    def black_dots(image: Image.Image, y: int) -> int:
        return sum(image.getpixel((x, y)) == (40, 40, 40) for x in range(80, 700))

    # 5 is the highest value: 1/22 of the height of 280 below the top, at 30 + 12.
    most = max(black_dots(dashed, y) for y in range(35, 60))
    assert width * 0.4 < most < width * 0.7 and max(black_dots(plain, y) for y in (42, 43)) == 0
