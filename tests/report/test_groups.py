"""Which settings tell runs apart, and how groups are named."""

from __future__ import annotations

import numpy as np
import pytest

from dagger_cli.report.find import runs_below
from dagger_cli.report.groups import sections
from dagger_cli.report.run_record import read_run
from dagger_cli.report.settings import common, differing

from .fake_runs import make_run, make_sweep


def read(folder):
    return [read_run(run) for run in runs_below([folder])]


def test_groups_differ_in_all_but_the_seed(tmp_path):
    make_sweep(tmp_path / "s", {"dagger": [90, 92, 94], "sup": [70, 80, 90]})
    (section,) = sections(read(tmp_path))
    assert section.keys == ("trainer.name",)  # trainer._target_ and trainer.beta.over follow
    assert [(g.name, len(g.runs)) for g in section.groups] == [("dagger", 3), ("sup", 3)]
    assert section.groups[0].finals.tolist() == [90, 92, 94]
    assert section.groups[1].shares.tolist() == pytest.approx([0.7, 0.8, 0.9])


def test_values_are_in_the_names_and_sorted_as_numbers(tmp_path):
    for i, rate in enumerate((10.0, 9.0)):
        make_run(tmp_path / str(i), policy__learning_rate=rate)
    (section,) = sections(read(tmp_path))
    names = [group.name for group in section.groups]
    assert names == ["policy.learning_rate=9.0", "policy.learning_rate=10.0"]


def test_a_class_is_named_without_its_module(tmp_path):
    for name in ("dagger_cli.core.schedules.Linear", "my_schedule.Cosine"):
        beta = {"_target_": name, "over": 2.0}
        make_run(tmp_path / name, beta_schedule=beta)
    (section,) = sections(read(tmp_path))
    assert [g.name for g in section.groups] == ["beta=Linear", "beta=my_schedule.Cosine"]


def test_a_key_that_an_older_version_lacks_does_not_split_a_group(tmp_path):
    make_run(tmp_path / "old")
    make_run(tmp_path / "new", seed=1, best="return")
    (section,) = sections(read(tmp_path))
    assert [(g.name, len(g.runs)) for g in section.groups] == [("dagger", 2)]


def test_one_section_per_environment(tmp_path):
    for env in ("b", "a"):
        make_run(tmp_path / env, env=env)
    assert [section.env for section in sections(read(tmp_path))] == ["a", "b"]


def test_an_unfinished_run_takes_the_expert_of_its_group(tmp_path):
    make_run(tmp_path / "0")
    make_run(tmp_path / "1", (50.0, 95.0), seed=1, final=None)
    (section,) = sections(read(tmp_path))
    (group,) = section.groups
    assert [run.expert for run in group.runs] == [100, 100] and len(group.finals) == 1
    assert [run.labels_to(0.95) for run in group.runs] == [300, 200]
    assert np.isnan(group.runs[1].final)


def test_without_an_expert_there_is_no_share(tmp_path):
    make_run(tmp_path / "0", expert=None)
    ((group,),) = [section.groups for section in sections(read(tmp_path))]
    assert np.isnan(group.runs[0].labels_to(0.5)) and np.isnan(group.runs[0].area)
    assert len(group.shares) == 0 and group.finals.tolist() == [97]


def test_common_settings_are_the_others(tmp_path):
    make_sweep(tmp_path / "s", {"dagger": [90, 92], "sup": [70, 80]})
    runs = read(tmp_path)
    assert "trainer.name" in differing(runs) and "seed" not in differing(runs)
    assert common(runs)["policy.name"] == "mlp" and "trainer.name" not in common(runs)
