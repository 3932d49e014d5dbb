"""Every trainer of conf/trainer through `dagger train` and back through `dagger eval`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from safetensors import safe_open

from dagger_cli.config.options import config_dir

from .running import TINY, dagger, differences, metrics, summary, train

TRAINERS = sorted(path.stem for path in (Path(config_dir()) / "trainer").glob("*.yaml"))
VARIANTS = {
    **{name: (f"trainer={name}",) for name in TRAINERS},
    "searn by roll-outs": ("trainer=searn", "trainer.costs=rollout"),
    "dagger with roll-in": ("trainer=dagger", "trainer.roll_in=uniform", "beta=indicator"),
    "dagger by episode, ogd": ("trainer=dagger", "trainer.mix_per=episode", "trainer.update=ogd"),
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


def test_who_tries_some_of_the_continuous_actions_says_so(tmp_path):
    words = (*TINY, *SMALL, "trainer=lols", "trainer.cost_rollouts.horizon=5", "rounds=1")
    said = [
        dagger("train", *words, f"env={env}", f"hydra.run.dir={env}", cwd=tmp_path)
        for env in ("pendulum", "cartpole")
    ]
    assert [(done.code, done.err) for done in said] == [(0, "")] * 2
    texts = [" ".join(done.out.split()) for done in said]
    assert (
        "in each state 5 of them are evaluated, the expert's, the policy's and 3 draws" in texts[0]
    )
    assert "are tried" not in texts[1]


@pytest.mark.parametrize("loss", ["mse", "huber"])
def test_the_safety_policy_does_not_take_a_loss_of_distances(loss, tmp_path):
    words = (*TINY, *SMALL, "env=pendulum", "trainer=safe_dagger", f"policy.loss={loss}")
    done = dagger("train", *words, "hydra.run.dir=run", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert [row["round"] for row in metrics(tmp_path / "run")] == [1, 2, 3]


# A mixture, its streams and episodes to be brought back; a policy a step, and rounds without rows.
KEEP_MOST = ("searn by roll-outs", "forward")


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n in KEEP_MOST else pytest.mark.slow) for n in VARIANTS],
)
def test_resuming_equals_never_having_stopped(name, tmp_path):
    """A coin by rounds must not see the number of rounds change, and Forward's slots are given."""
    words = [*SMALL, *VARIANTS[name]]
    words += {"aggrevate": ["beta=exponential"], "forward": ["trainer.slot=30"]}.get(name, [])
    words += ["beta=exponential"] if name.startswith("dagger") else []
    whole = train(*words, "rounds=3", cwd=tmp_path, run="whole")
    part = train(*words, "rounds=2", cwd=tmp_path, run="part")
    done = dagger("train", "resume=part", "rounds=3", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert differences(whole, part) == []


def test_dagger_with_beta_one_is_sup_bit_for_bit(tmp_path):
    sup = train(*SMALL, "trainer=sup", cwd=tmp_path, run="sup")
    words = ("trainer=dagger", "beta=constant", "beta.value=1")
    dagger_ = train(*SMALL, *words, cwd=tmp_path, run="dagger")
    assert set(differences(sup, dagger_)) == {"metrics"}
    for mine, other in zip(metrics(dagger_), metrics(sup), strict=True):
        assert mine.pop("train/beta") == 1
        kept = [{k: v for k, v in row.items() if "time/" not in k} for row in (mine, other)]
        assert kept[0] == kept[1]
    states = [
        json.loads((r / "checkpoints/last/checkpoint.json").read_text()) for r in (sup, dagger_)
    ]
    assert states[0]["rng"] == states[1]["rng"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["smile", "searn"])
def test_a_mixture_of_twenty_is_scored_alike_when_it_is_read_back(name, tmp_path):
    words = ("rounds=20", "steps_per_round=40", "evaluation.episodes=40")
    run = train(*SMALL, f"trainer={name}", *words, cwd=tmp_path)
    last = "checkpoint=run/checkpoints/last"
    scores = []
    for file in ("one.json", "two.json"):
        done = dagger("eval", last, "episodes=40", f"json={file}", cwd=tmp_path)
        assert (done.code, done.err) == (0, "")
        scores.append(json.loads((tmp_path / file).read_text()))
    assert scores[0] == scores[1]
    with safe_open(run / "checkpoints/last/policy.safetensors", "np") as file:
        weights = file.get_tensor("mixture.weights")
    assert weights.shape == (20,) and weights.sum() == pytest.approx(1)
    done = dagger("eval", "checkpoint=run", "json=best.json", cwd=tmp_path)
    best = json.loads((tmp_path / "best.json").read_text())
    student = summary(run)["student"]
    assert {key: best[key] for key in student} == student


@pytest.mark.parametrize("path", COMPARED, ids=lambda path: path.stem)
def test_a_comparison_is_of_all_trainers_on_five_seeds(path):
    swept = yaml.safe_load(path.read_text())["hydra"]["sweeper"]["params"]
    assert sorted(swept["trainer"].split(",")) == TRAINERS
    assert swept["seed"] == "0,1,2,3,4"
    shown = dagger("train", f"experiment={path.stem}", "--cfg", "job", cwd=path.parent)
    labels = yaml.safe_load(shown.out)["labels"]
    assert labels == (4000 if "cartpole" in path.stem else 16_000)


@pytest.mark.slow
def test_a_comparison_is_a_sweep_by_itself(tmp_path):
    words = [word for word in TINY if not word.startswith(("env=", "steps_per_round"))]
    small = ("labels=300", "trainer=sup,dart", "seed=7")
    done = dagger("train", "experiment=compare_cartpole", *words, *SMALL, *small, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    runs = sorted(path.parts[-2] for path in tmp_path.rglob("summary.json"))
    assert runs == ["0_sup_seed7", "1_dart_seed7"]
    assert "trainer=dart" in done.out.splitlines()[-1]
