"""Every trainer of conf/trainer through `dagger train` and back through `dagger eval`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from dagger_cli.options import config_dir

from .running import TINY, dagger, metrics, summary, train

TRAINERS = sorted(path.stem for path in (Path(config_dir()) / "trainer").glob("*.yaml"))
VARIANTS = {
    **{name: (f"trainer={name}",) for name in TRAINERS},
    "searn by roll-outs": ("trainer=searn", "trainer.costs=rollout"),
    "dagger by episode, ogd": ("trainer=dagger", "trainer.coin=episode", "trainer.fit=ogd"),
}
SMALL = ("evaluation.episodes=1", "validation.episodes=1", "validation.queries=20", "n_envs=4")
COMPARED = sorted(Path(config_dir()).glob("experiment/compare_*.yaml"))


@pytest.mark.parametrize("name", VARIANTS)
def test_a_trainers_run_is_scored_alike_when_its_checkpoint_is_read_back(name, tmp_path):
    run = train(*SMALL, *VARIANTS[name], cwd=tmp_path)
    done = dagger("eval", "checkpoint=run", "json=score.json", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    score, student = json.loads((tmp_path / "score.json").read_text()), summary(run)["student"]
    assert {key: score[key] for key in student} == student
    rows = metrics(run)
    assert len(rows) == 3 and 0 < rows[-1]["train/labels"] <= 300
    assert {"disagreement/own", "disagreement/expert"} <= rows[-1].keys()


def test_resuming_searn_by_roll_outs_equals_never_having_stopped(tmp_path):
    """The trainer that keeps the most: a mixture, its streams, and episodes to be brought back."""
    words = (*SMALL, *VARIANTS["searn by roll-outs"])
    whole = train(*words, "rounds=2", cwd=tmp_path, run="whole")
    part = train(*words, "rounds=1", cwd=tmp_path, run="part")
    done = dagger("train", "resume=part", "rounds=2", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    for name in ("policy", "env"):
        path = f"checkpoints/last/{name}.safetensors"
        assert (part / path).read_bytes() == (whole / path).read_bytes()


@pytest.mark.parametrize("path", COMPARED, ids=lambda path: path.stem)
def test_a_comparison_is_of_all_trainers_on_five_seeds(path):
    swept = yaml.safe_load(path.read_text())["hydra"]["sweeper"]["params"]
    assert sorted(swept["trainer"].split(",")) == TRAINERS
    assert swept["seed"] == "0,1,2,3,4"
    shown = dagger("train", f"experiment={path.stem}", "--cfg", "job", cwd=path.parent)
    labels = yaml.safe_load(shown.out)["labels"]
    assert labels == (4000 if "cartpole" in path.stem else 16_000)


def test_a_comparison_is_a_sweep_by_itself(tmp_path):
    words = [word for word in TINY if not word.startswith(("env=", "steps_per_round"))]
    small = ("labels=300", "trainer=sup,dart", "seed=7")
    done = dagger("train", "experiment=compare_cartpole", *words, *SMALL, *small, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    runs = sorted(path.parts[-3] for path in tmp_path.rglob("summary.json"))
    assert runs == ["dart", "sup"]
    assert "trainer=dart" in done.out.splitlines()[-1]
