"""`dagger train`, from the command line to the written files."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from .running import TINY, aggregate, dagger, differences, metrics, numbers, summary, train

NAMES = {
    "round", "train/beta", "train/loss", "train/labels", "train/env_steps", "eval/return_mean",
    "eval/return_std", "eval/episode_length", "eval/failures", "time/collect", "time/label",
    "time/fit", "time/validate", "time/total", "eval/return_per_step", "disagreement/own",
    "disagreement/expert",
}  # fmt: skip
REGRET = {
    "regret/online_loss", "regret/online_loss_mean", "regret/hindsight_loss", "regret/average",
    "disagreement/online", "time/regret",
}  # fmt: skip


@pytest.fixture(scope="module")
def main_run(tmp_path_factory):
    """The documented main job on a small environment, in the default folder."""
    cwd = tmp_path_factory.mktemp("main")
    words = "env=cartpole expert=bundled rounds=3 steps_per_round=200 validation.episodes=3"
    small = "evaluation.episodes=5 policy.gradient_steps=60 gif=true"
    done = dagger("train", *words.split(), *small.split(), cwd=cwd)
    assert (done.code, done.err) == (0, "")
    (run,) = (cwd / "outputs" / "cartpole" / "dagger").iterdir()
    return run, done.out


def test_the_run_folder_is_complete(main_run):
    run, _ = main_run
    names = {path.name for path in run.iterdir()}
    assert names == {
        "config.yaml", "metrics.jsonl", "summary.json", "versions.json", "tb", "checkpoints",
        "curve.svg", "student.gif",
    }  # fmt: skip
    kept = {path.name for path in (run / "checkpoints").iterdir()}
    assert kept >= {"best", "last", "aggregate", "round_0003"} and len(kept) <= 5
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert (config["seed"], config["rounds"], config["env"]["id"]) == (0, 3, "CartPole-v1")
    assert config["beta_schedule"]["over"] == 3  # nothing is left to be resolved
    assert not list(run.rglob(".*"))


def test_metrics_have_a_line_a_round_with_the_documented_names(main_run):
    rows = metrics(main_run[0])
    # No learner went into the first round: there is nothing to regret.
    assert [set(row) for row in rows] == [NAMES, NAMES | REGRET, NAMES | REGRET]
    assert [row["round"] for row in rows] == [1, 2, 3]
    assert [row["train/beta"] for row in rows] == pytest.approx([1, 2 / 3, 1 / 3])
    assert [row["train/labels"] for row in rows] == [200, 400, 600]
    assert [row["train/env_steps"] for row in rows] == [200, 400, 600]


def test_summary_is_about_the_same_seeds_for_both(main_run):
    value = summary(main_run[0])
    assert value["student"]["seeds"] == value["expert"]["seeds"] == [*range(1000, 1005)]
    assert value["expert"]["mean"] == 500 and value["expert"]["failures"] == 0
    assert value["spent"] == {"env_steps": 600, "labels": 600}


def test_the_final_table_and_the_commands_are_printed(main_run):
    run, out = main_run
    where = f"outputs/cartpole/dagger/{run.name}"
    rows = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert rows["return"].split() == ["return", "mean", "std", "min", "drops", "episodes"]
    assert rows["expert"].split()[1:] == ["500.0", "0.0", "500.0", "0", "5"]
    best = summary(run)["best"]["round"]
    assert f"student (round {best})" in rows["student"]
    assert rows["chosen"].startswith(f"chosen     round {best} of 3, ")
    assert "of the highest validation return, " in rows["chosen"] or "with the" in rows["chosen"]
    assert rows["labels"].split() == ["labels", "600"]
    assert rows["evaluate"] == f"evaluate  dagger eval checkpoint={where}"
    assert rows["watch"] == f"watch     dagger eval checkpoint={where} render=human"
    assert rows["resume"] == f"resume    dagger train resume={where}"


def test_tensorboard_has_curves_and_hparams(main_run):
    board = EventAccumulator(str(main_run[0] / "tb"))
    board.Reload()
    scalars = set(board.Tags()["scalars"])
    assert scalars >= (NAMES - {"round"}) | {"expert/return_mean", "final/return_mean"}
    assert [event.value for event in board.Scalars("train/beta")] == pytest.approx(
        [1, 2 / 3, 1 / 3]
    )
    assert board.Scalars("expert/return_mean")[-1].value == 500
    assert len(board.Scalars("eval/return_mean")) == 3
    plugins = board.summary_metadata.values()
    assert any(meta.plugin_data.plugin_name == "hparams" for meta in plugins)


@pytest.mark.parametrize("n_envs", [1, 7])
def test_the_budget_is_used_exactly_even_where_it_does_not_divide(tmp_path, n_envs):
    words = [word for word in TINY if not word.startswith("steps_per_round")]
    words += ["labels=333", "rounds=2", f"n_envs={n_envs}", "hydra.run.dir=run"]
    assert dagger("train", *words, cwd=tmp_path).code == 0
    assert [row["train/labels"] for row in metrics(tmp_path / "run")] == [167, 333]
    assert summary(tmp_path / "run")["spent"] == {"env_steps": 333, "labels": 333}


def test_the_same_seed_the_same_run_and_seed_0_is_a_seed(tmp_path):
    one, two = train(cwd=tmp_path, run="a"), train("seed=0", cwd=tmp_path, run="b")
    assert differences(one, two) == []
    assert "aggregate" in differences(one, train("seed=1", cwd=tmp_path, run="c"))


def test_workers_do_not_change_a_bit(tmp_path):
    runs = [
        train("env.workers=" + n, "n_envs=3", "rounds=2", cwd=tmp_path, run=n) for n in ("0", "1")
    ]
    assert differences(*runs) == []


def test_beta_is_short_for_beta_schedule(tmp_path):
    words = ("beta=exponential", "beta.p=0.25")
    one = train(*words, cwd=tmp_path, run="a")
    long = (word.replace("beta", "beta_schedule") for word in words)
    assert differences(one, train(*long, cwd=tmp_path, run="b")) == []
    assert [row["train/beta"] for row in metrics(one)] == [1, 0.25, 0.0625]


def test_dagger_with_beta_one_collects_what_sup_collects(tmp_path):
    dagger_run = train("beta=constant", "beta.value=1", cwd=tmp_path, run="dagger")
    sup_run = train("trainer=sup", cwd=tmp_path, run="sup")
    assert aggregate(dagger_run) == aggregate(sup_run) and len(aggregate(sup_run)) == 3
    policies = [numbers(run)["last/policy"] for run in (dagger_run, sup_run)]
    assert policies[0] == policies[1]
    assert "train/beta" not in metrics(sup_run)[0]
    assert "aggregate" in differences(train(cwd=tmp_path, run="other"), sup_run)


def test_resumed_equals_uninterrupted(tmp_path):
    words = ("beta=exponential", "policy.warm_start=true")
    whole = train(*words, "rounds=4", cwd=tmp_path, run="whole")
    half = train(*words, "rounds=2", cwd=tmp_path, run="half")
    done = dagger("train", "resume=half", "rounds=4", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert differences(whole, half) == []
    assert "student" in done.out and "round 3/4" in done.out and "round 2/4" not in done.out
    # Nothing left to do: the table again, from the same numbers.
    assert dagger("train", "resume=half/last", cwd=tmp_path).code == 0
    assert differences(whole, half) == []


WALKER = (
    "env=bipedal", "env.max_episode_steps=40", "n_envs=3", "env.workers=1", "steps_per_round=50",
    "validation.episodes=2", "evaluation.episodes=2", "beta=exponential",
)  # fmt: skip


@pytest.mark.slow
def test_the_walker_over_a_worker_resumes_bit_for_bit(tmp_path):
    whole = train(*WALKER, "rounds=3", cwd=tmp_path, run="whole")
    half = train(*WALKER, "rounds=2", cwd=tmp_path, run="half")
    assert dagger("train", "resume=half", "rounds=3", cwd=tmp_path).code == 0
    assert differences(whole, half) == []


MARIO = (
    "env=mario", "env.length=96", "env.time_limit=8", "n_envs=4", "steps_per_round=60",
    "validation.episodes=2", "validation.queries=0", "evaluation.episodes=2", "beta=exponential",
)  # fmt: skip


@pytest.mark.slow  # may compile simulator and planner
@pytest.mark.parametrize("policy", ["mlp", "scene", "sparse_svm"])
def test_mario_resumes_bit_for_bit(policy, tmp_path):
    """Games are cut off in the middle of their stages at the end of a round and go on there."""
    small = ["policy.sizes=[16]", "policy.gradient_steps=20"] if policy != "sparse_svm" else []
    words = (*MARIO, f"policy={policy}", *small)
    for rounds, run in ((3, "whole"), (2, "half")):
        done = dagger("train", *words, f"rounds={rounds}", f"hydra.run.dir={run}", cwd=tmp_path)
        assert done.code == 0, done.err
    assert dagger("train", "resume=half", "rounds=3", cwd=tmp_path).code == 0
    whole, half = tmp_path / "whole", tmp_path / "half"
    assert metrics(half)[-1]["train/labels"] == 180
    assert differences(whole, half) == []


KART = (
    "env=kart", "policy=ridge", "beta=indicator", "env.max_steps=60", "n_envs=2",
    "steps_per_round=90", "validation.episodes=2", "evaluation.episodes=2",
)  # fmt: skip


@pytest.mark.slow
def test_karts_resume_bit_for_bit(tmp_path):
    """Laps are cut off in the middle at the end of a round and go on there."""
    for rounds, run in ((3, "whole"), (2, "half")):
        done = dagger("train", *KART, f"rounds={rounds}", f"hydra.run.dir={run}", cwd=tmp_path)
        assert done.code == 0, done.err
        assert "minus falls per lap" in done.out and "failed laps" in done.out
    assert dagger("train", "resume=half", "rounds=3", cwd=tmp_path).code == 0
    assert differences(tmp_path / "whole", tmp_path / "half") == []


def test_killed_in_the_middle_and_resumed_equals_uninterrupted(tmp_path):
    words = ("beta=exponential", "rounds=12")
    whole = train(*words, cwd=tmp_path, run="whole")
    command = [
        sys.executable,
        "-m",
        "dagger_cli.cli.main",
        "train",
        *TINY,
        *words,
        "hydra.run.dir=cut",
    ]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    lines, deadline = tmp_path / "cut" / "metrics.jsonl", time.monotonic() + 60
    while not lines.exists() or lines.read_bytes().count(b"\n") < 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL
    assert not (tmp_path / "cut" / "summary.json").exists()
    done = dagger("train", "resume=cut", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert differences(whole, tmp_path / "cut") == []


def test_original_walker_is_the_original(tmp_path):
    done = dagger("train", "experiment=original_walker", "--cfg", "job", "--resolve", cwd=tmp_path)
    config = yaml.safe_load(done.out)
    assert (config["env"]["id"], config["expert"]["algo"]) == ("BipedalWalker-v3", "ddpg")
    assert config["expert"]["_target_"].endswith(".Hub")
    policy = {
        key: value
        for key, value in config["policy"].items()
        if key not in ("_target_", "threads", "device", "one_hot", "chunk", "chunk_decay")
    }
    assert policy == {
        "name": "mlp", "sizes": [128, 64], "activation": "relu", "loss": "mse", "optimizer": "adam",
        "learning_rate": 1e-3, "weight_decay": 0.0, "batch_size": 64, "epochs": 5,
        "gradient_steps": None, "warm_start": True, "decay": False, "final_fit": 1,
        "normalize": False,
    }  # fmt: skip
    beta = config["beta_schedule"]
    # b_i = 1 - (i - 1) / 50 for i from 1: round r from 0 is 1 - r / 50.
    assert (beta["start"], beta["end"], beta["over"], beta["by"]) == (1.0, 0.0, 50.0, "round")
    assert (config["rounds"], config["steps_per_round"], config["n_envs"]) == (50, 2000, 1)
    assert config["labels"] is None and config["trainer"]["name"] == "dagger"
    assert (config["evaluation"]["episodes"], config["evaluation"]["checkpoint"]) == (4, "last")


def test_original_walker_runs_in_small(tmp_path):
    words = "experiment=original_walker expert=bundled rounds=2 steps_per_round=50"
    small = "env.max_episode_steps=40 env.workers=0 hydra.run.dir=run"
    done = dagger("train", *words.split(), *small.split(), cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    assert "student (round 2)" in done.out
    assert [row["train/beta"] for row in metrics(tmp_path / "run")] == [1, 0.5]
    assert len(summary(tmp_path / "run")["student"]["seeds"]) == 4


def test_without_validation_the_last_round_is_the_best(tmp_path):
    words = "env=cartpole expert=bundled rounds=2 steps_per_round=100 validation.episodes=0"
    words += " evaluation.episodes=2 policy.gradient_steps=5 beta=linear"
    done = dagger("train", *words.split(), f"hydra.run.dir={tmp_path}/run", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert (tmp_path / "run/checkpoints/best").resolve().name == "round_0002"
    rows = metrics(tmp_path / "run")
    assert {"eval/return_mean", "disagreement/own"}.isdisjoint(rows[-1])
    assert json.loads((tmp_path / "run/summary.json").read_text())["best"] == {
        "round": 2, "validation_mean": None
    }  # fmt: skip
    again = dagger("train", f"resume={tmp_path}/run", "rounds=3", cwd=tmp_path)
    assert (again.code, again.err) == (0, "")
    assert (tmp_path / "run/checkpoints/best").resolve().name == "round_0003"


def test_a_finished_run_has_nothing_left_to_train(tmp_path):
    run = train("rounds=2", cwd=tmp_path)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    done = dagger("train", "resume=run", cwd=tmp_path)
    assert (done.code, done.err) == (0, "") and "evaluating" not in done.out
    assert "has finished its 2 rounds, so nothing is left to train" in done.out
    assert before == {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    again = dagger("train", "resume=run", "evaluation.episodes=3", cwd=tmp_path)
    assert again.code == 0 and "evaluating student: 3 episodes" in again.out
    (run / "summary.json").unlink()
    assert "evaluating student" in dagger("train", "resume=run", cwd=tmp_path).out
    assert summary(run)["student"]["episodes"] == 4


def test_latest_is_the_newest_run(tmp_path):
    assert dagger("train", *TINY, "rounds=1", cwd=tmp_path).code == 0
    (run,) = (tmp_path / "outputs/cartpole/dagger").iterdir()
    for words in (("eval", "checkpoint=latest/last"), ("train", "resume=latest")):
        done = dagger(*words, cwd=tmp_path)
        assert done.code == 0 and run.name in done.out


def test_the_best_round_may_be_the_one_that_agrees_most(tmp_path):
    run = train("best=agreement", "validation.tolerance=0", cwd=tmp_path)
    gaps = [row["disagreement/own"] for row in metrics(run)]
    best = summary(run)["best"]
    assert best["round"] == max(i for i, gap in enumerate(gaps, 1) if gap == min(gaps))
    assert best["validation_mean"] == metrics(run)[best["round"] - 1]["eval/return_mean"]


def test_the_expert_need_not_be_scored(tmp_path):
    done = dagger("train", *TINY, "evaluation.expert=false", "hydra.run.dir=run", cwd=tmp_path)
    assert (done.code, done.err) == (0, "") and "evaluating expert" not in done.out
    assert summary(tmp_path / "run")["expert"] is None
    assert re.search(r"^student \(round \d\)", done.out, re.M)


def test_the_experts_known_episodes_are_named_and_can_be_played(tmp_path):
    def run(*words: str) -> tuple[str, str]:
        given = ("env.max_episode_steps=null", "rounds=1", "policy.gradient_steps=200", *words)
        done = dagger("train", *TINY, *given, cwd=tmp_path, DAGGER_CACHE=str(tmp_path / "cache"))
        assert (done.code, done.err) == (0, "")
        expert = re.search(r"^expert +500\.0 .*$", done.out, re.M)
        return expert[0], " ".join(done.out.split())

    note = "note: the expert played its episodes {}: evaluation.fresh=true plays them now"
    row, out = run("evaluation.fresh=true")
    assert "evaluating expert: 4 episodes" in out and "note: the expert" not in out
    again, out = run()
    assert again == row and "evaluating expert" not in out
    assert note.format("in an earlier run") in out
    (tmp_path / "cache").rename(tmp_path / "elsewhere")
    shipped, out = run()
    if "evaluating expert" in out:
        pytest.skip("the episodes were played with other versions than those installed")
    assert shipped == row and note.format("when this package was made") in out


def test_a_folder_of_digits_stays_as_typed(tmp_path):
    train("rounds=1", cwd=tmp_path, run="2024_01_02")
    assert (tmp_path / "2024_01_02" / "summary.json").exists()
    assert dagger("eval", "checkpoint=2024_01_02", "episodes=1", cwd=tmp_path).code == 0
