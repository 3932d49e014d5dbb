"""`--help` shows the comments of the YAML files beside the keys."""

from __future__ import annotations

import pytest

from dagger_cli.cli.command_line import parse
from dagger_cli.cli.help_comments import commented

HELP = """dagger train: train
== Config (override with key=value) ==

seed: 0
validation:
  episodes: 5
env:
  id: CartPole-v1
  budget:
    rounds: 10
trainer:
  name: x
  k:
  - 1

Examples:
  dagger train env=cartpole
"""


@pytest.mark.parametrize("env", ["cartpole", "gym"])
def test_keys_have_the_comments_of_the_chosen_options(env):
    lines = commented(HELP, parse("train", [f"env={env}"])).splitlines()
    assert "seed: 0  # seed of the run" in lines
    assert any(line.startswith("  episodes: 5  # per round, to select") for line in lines)
    assert "  id: CartPole-v1  # registered id" in lines
    assert lines[0] == "dagger train: train" and lines[-1] == "  dagger train env=cartpole"
    assert {"env:", "  name: x", "  - 1"} <= set(lines)


def test_comments_are_those_of_the_option():
    assert "registered id" not in commented(HELP, parse("train", ["env=mario"]))
    assert commented("no config", parse("train", [])) == "no config"
