"""Runs that learn from recorded data, and data that are exported from runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from dagger_cli.commands.run_episodes import episodes_of
from dagger_cli.core.budget import Budget
from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.row_forms import rows_in
from dagger_cli.data.episodes import About
from dagger_cli.data.read import read_episodes
from dagger_cli.data.recorded import spread
from dagger_cli.envs.recorded.source import RecordedSource
from dagger_cli.loop.rollout import begin, label, rollout
from dagger_cli.tracking.rows_read import SavedRound

from ..e2e.running import TINY, dagger, metrics, summary, train
from ..toys import toy_kit

ALONE = tuple(word for word in TINY if not word.startswith(("expert=", "steps_per_round")))


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """A run of the expert's own episodes, and all its rows as a file."""
    folder = tmp_path_factory.mktemp("source")
    train("trainer=sup", cwd=folder)
    export(folder, "demos.npz")
    return folder / "demos.npz"


def export(folder: Path, name: str, run: str = "run") -> None:
    words = (f"run={run}", "format=npz", f"path={name}")
    done = dagger("data", "export", *words, cwd=folder)
    assert (done.code, done.err) == (0, ""), done.err


def used(run: Path) -> tuple[int, int]:
    return summary(run)["spent"]["env_steps"], summary(run)["spent"]["labels"]


def rows(n: int) -> Dataset:
    return Dataset(np.arange(n)[:, None], np.arange(n), np.arange(n), (n,))


def test_a_data_set_is_spread_over_the_rounds_in_order():
    parts = spread(rows(10), Budget(3, None, 8), past=False).rounds
    assert [part.labels.tolist() for part in parts] == [[0, 1, 2], [3, 4, 5], [6, 7]]
    with pytest.raises(ConfigError, match="has 10 to learn from"):
        spread(rows(10), Budget(3, None, 11), past=False)


def test_an_exported_run_has_its_own_rows(source):
    data = read_episodes(source)
    assert len(data) == 300 and data.about.env_id == "CartPole-v1"
    columns = data.columns
    assert columns["from_expert"].all() and np.array_equal(
        columns["action"], columns["expert_action"]
    )
    assert np.bincount(columns["round"])[1:].tolist() == [100, 100, 100]
    assert columns["policy"][columns["round"] == 1].tolist() == [""] * 100
    assert len(set(columns["policy"].tolist())) == 3  # sup's expert acts; the learner's is noted
    # An episode is the environment's own: its observations follow from its actions.
    import gymnasium

    env = gymnasium.make("CartPole-v1").unwrapped
    for start, end in zip(data.starts[:3], data.starts[1:4], strict=True):
        assert columns["step"][start:end].tolist() == list(range(end - start))
        env.reset()
        for row in range(start, end - 1):
            env.state = columns["observation"][row].astype(np.float64)
            seen = env.step(int(columns["action"][row]))[0]
            assert np.allclose(seen, columns["observation"][row + 1], atol=1e-6)
    lengths = np.diff(data.starts)
    ended = columns["terminated"] | columns["truncated"]
    assert (lengths[ended[data.starts[1:] - 1]] == 60).all()  # the expert never drops the pole
    assert data.final_episode.tolist() == np.flatnonzero(ended[data.starts[1:] - 1]).tolist()


def test_sup_on_its_own_rows_is_sup(source, tmp_path):
    """Rows in another order give another fit, so the rows of one slot are compared."""
    train("trainer=sup", "n_envs=1", "rounds=2", cwd=tmp_path, run="asked")
    export(tmp_path, "one.npz", "asked")
    words = ("trainer=sup", "expert=dataset", "expert.path=one.npz", "n_envs=1", "rounds=2")
    done = dagger("train", *ALONE, *words, "hydra.run.dir=alone", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    for name in ("best", "last"):
        weights = [
            tmp_path / run / "checkpoints" / name / "policy.safetensors"
            for run in ("asked", "alone")
        ]
        assert weights[0].read_bytes() == weights[1].read_bytes()


def test_a_run_without_an_expert_says_nothing_of_one(source, tmp_path):
    words = ("trainer=sup", "expert=dataset", f"expert.path={source}", "hydra.run.dir=run")
    done = dagger("train", *ALONE, *words, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "expert  " not in done.out.partition("evaluating student")[2]
    ended = summary(tmp_path / "run")
    assert ended.get("expert") is None and ended["student"]["episodes"] == 4
    assert used(tmp_path / "run") == (0, 300)
    logged = {name for row in metrics(tmp_path / "run") for name in row}
    assert "disagreement/own" not in logged and "regret/online_loss" in logged


@pytest.mark.parametrize(
    "trainer", ["dagger", pytest.param("smile", marks=pytest.mark.slow), "searn"]
)
def test_demonstrations_are_the_first_round(trainer, source, tmp_path):
    copy = tmp_path / "demos.npz"
    copy.write_bytes(source.read_bytes())
    words = (f"trainer={trainer}", f"trainer.demonstrations={copy}")
    run = train(*words, "rounds=2", cwd=tmp_path)
    assert used(run) == (100, 400)
    part = train(*words, "rounds=1", cwd=tmp_path, run="part")
    assert used(part) == (0, 300)
    copy.unlink()  # the rows are in the run
    done = dagger("train", "resume=part", "rounds=3", cwd=tmp_path)
    assert (done.code, used(part)) == (0, (200, 500)), done.err


def test_episodes_of_some_labelled_states_are_not_joined(rng):
    """A state of step 30 that follows one of step 20 may be of another episode."""
    kit = toy_kit(n_envs=4)
    begin(kit)
    visited = rollout(kit, kit.expert, 1000)
    t, slots = visited.observations.t, visited.slots
    true = np.zeros(1000, np.int64)
    for slot in range(4):
        true[slots == slot] = 100 * slot + np.cumsum(t[slots == slot] == 0)
    where = rng.random(1000) < 0.03
    data = label(kit, visited, where)
    columns = {"obs": data.obs, "labels": data.labels, "steps": data.steps}
    saved = SavedRound(1, columns, dict(data.played), "", np.nan)
    found = episodes_of([saved], About(), 4, fails=False)
    order = np.argsort(slots[where], kind="stable")
    _, wanted = np.unique(true[where][order], return_inverse=True)
    assert found.columns["episode"].tolist() == wanted.tolist()
    steps_alone = (np.diff(found.columns["step"]) <= 0).sum() + 1
    assert steps_alone < found.n_episodes


@pytest.mark.parametrize("at", ["expert=dataset expert.path", "trainer.demonstrations"])
@pytest.mark.slow
def test_data_must_show_what_the_run_shows(at, tmp_path):
    seen = ("view=keys", "view.keep=[0,2]")
    train("trainer=sup", *seen, cwd=tmp_path)
    export(tmp_path, "demos.npz")
    words = (*ALONE, *f"{at}=demos.npz".split(), "hydra.run.dir=other")
    more = ("trainer=sup",) if "expert" in at else ("expert=bundled", "steps_per_round=100")
    done = dagger("train", *words, *more, "view=keys", "view.keep=[1,3]", cwd=tmp_path)
    assert done.code == 2 and not (tmp_path / "other").exists()
    assert "was recorded with another view: components [0, 2] of" in done.err
    same = dagger("train", *words, *more, *seen, cwd=tmp_path)
    assert same.code == 0, same.err


def test_a_data_set_in_place_of_an_environment(source, tmp_path):
    """Two of ten episodes are held out; agreement is that with their recorded actions."""
    words = ("env=dataset", f"env.path={source}", "trainer=sup", "policy.sizes=[16]")
    done = dagger("train", *words, "policy.gradient_steps=2000", "hydra.run.dir=run", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    ended = summary(tmp_path / "run")
    assert 0.8 < ended["student"]["per_step"] <= 1 and ended.get("expert") is None
    data = read_episodes(source)
    assert ended["student"]["episodes"] == max(1, round(0.1 * data.n_episodes))
    again = dagger("eval", "checkpoint=run", cwd=tmp_path)
    assert again.code == 0 and f"{ended['student']['per_step']:.2%}" in again.out


@pytest.mark.parametrize(
    "view",
    [
        ("view.keep=[3,1]",),
        ("view=delay", "view.stack=2", "view.stack_actions=true"),
        ("policy=gru", "policy.units=8", "view.keep=[0,2]"),
    ],
)
def test_a_student_sees_less_than_a_data_set_has(view, source, tmp_path):
    words = ("env=dataset", f"env.path={source}", "trainer=sup", "policy.sizes=[16]", *view)
    done = dagger("train", *words, "policy.gradient_steps=5", "hydra.run.dir=run", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    shard = tmp_path / "run" / "checkpoints" / "aggregate" / "round_0001.safetensors"
    stored, whole = (
        rows_in(load_file(shard)),
        RecordedSource(str(source), 0.1, 0.1, 0).training_rows(),
    )
    found, steps = np.asarray(stored), whole.steps
    assert len(found) == len(whole) and (steps == 0).sum() > 1
    if "view.keep=[3,1]" in view:
        assert np.array_equal(found, whole.obs[:, [3, 1]])
    elif "policy=gru" in view:
        assert np.array_equal(found, whole.obs[:, [0, 2]])
        assert np.array_equal(stored.parts["past"], steps)
    else:
        for i, step in enumerate(steps):
            late = [whole.obs[i - k] if step >= k else np.zeros(4) for k in (3, 2)]
            code = np.eye(2)[whole.played["action"][i - 1]] if step else np.zeros(2)
            assert np.allclose(found[i], np.concatenate([*late, code]))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("trainer=dagger", "expert=dataset"), "use trainer=sup, or another expert with"),
        (("trainer=sup", "expert=dataset", "env=acrobot"), "recorded in CartPole-v1"),
        (("trainer=sup", "expert=dataset", "labels=301"), "has 300 to learn from"),
        (("trainer=sup", "expert=dataset", "best=agreement"), "best=agreement asks the expert"),
        (("trainer=sup", "expert=dataset", "labeller=processes"), "has no effect"),
    ],
)
def test_what_a_data_set_cannot_do(words, said, source, tmp_path):
    done = dagger("train", *ALONE, f"expert.path={source}", *words, cwd=tmp_path)
    assert done.code == 2 and said in done.err and done.err.count("\n") == 1
    assert not (tmp_path / "outputs").exists()


def test_a_run_of_before_these_columns_can_be_exported(tmp_path):
    old = Path(__file__).parents[1] / "old_runs" / "runs" / "dagger"
    done = dagger("data", "export", f"run={old}", "format=npz", "path=old.npz", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    data = read_episodes(tmp_path / "old.npz")
    assert {"observation", "expert_action", "episode", "step"} <= data.columns.keys()
    assert "reward" not in data.columns
    shown = dagger("data", "show", "path=old.npz", cwd=tmp_path)
    assert shown.code == 0 and f"{len(data):,}" in shown.out


def test_export_without_all_it_needs(tmp_path):
    done = dagger("data", "export", "run=nowhere", "format=npz", cwd=tmp_path)
    assert done.code == 2 and "needs path=..." in done.err
    done = dagger("data", "upload", cwd=tmp_path)
    assert done.code == 2 and "no command 'upload'" in done.err
    assert "needs one of its commands" in dagger("data", cwd=tmp_path).err
