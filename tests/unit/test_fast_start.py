"""Hydra composes the config for `hydra.mode` only where it may be set."""

import pytest
from hydra import compose

from dagger_cli.cli.command_line import parse
from dagger_cli.cli.fast_start import may_set_mode
from dagger_cli.cli.hydra_compat import initialized
from dagger_cli.config.options import config_dir, options
from dagger_cli.config.schema import register


@pytest.mark.parametrize("experiment", options()["experiment"])
def test_an_experiment_that_sweeps_by_itself_is_known(experiment):
    register()
    words = [f"experiment={experiment}"]
    with initialized(str(config_dir())):
        mode = compose("train", words, return_hydra_config=True).hydra.mode
    swept = experiment.startswith("compare_")
    assert (
        (mode is not None and mode.name == "MULTIRUN")
        == swept
        == may_set_mode(parse("train", words))
    )


@pytest.mark.parametrize(
    ("words", "may"),
    [
        (["env=bipedal", "-m", "seed=0,1"], False),
        (["hydra.mode=MULTIRUN", "seed=0,1"], True),
        (["+hydra.mode=MULTIRUN"], True),
        (["experiment=walker,walker_fast", "-m"], True),
        (["--config-dir", "mine"], True),
        (["experiment=of_mine"], True),
    ],
)
def test_whatever_may_set_the_mode_is_left_to_hydra(words, may):
    assert may_set_mode(parse("train", words)) is may
