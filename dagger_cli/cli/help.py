"""The texts of `dagger --help` and `dagger expert --help`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from itertools import pairwise

from dagger_cli import __version__
from dagger_cli.config.options import GROUPS, config_dir, options

HELP = f"""\
dagger {__version__}: train a policy by interactive imitation learning

Usage:
  dagger train [group=option] [key=value] ...   roll out, label with the expert, fit, repeat
  dagger eval checkpoint=PATH [key=value] ...   evaluate, render or record a trained policy
  dagger eval checkpoint=expert env=NAME        evaluate the expert
  dagger expert list|show|score|fetch|convert   list, evaluate and convert experts
  dagger push checkpoint=PATH repo_id=USER/NAME upload a policy to the Hugging Face Hub
  dagger export checkpoint=PATH format=sb3|onnx|torchscript path=FILE
  dagger runs [PATH] ...                        list runs: status, labels, return
  dagger report PATH ...                        one page: tables, figures, statistics
  dagger compare A B                            two runs or sweeps, paired by seed
  dagger tb [PATH] ...                          TensorBoard on runs
  dagger bench [SET] [key=value] ...            all trainers on a set of tasks, and a report
  dagger data export run=PATH format=npz|parquet|minari|lerobot path=PATH
  dagger data push run=PATH repo_id=USER/NAME   upload them to the Hugging Face Hub
  dagger data show path=PATH                    what a data set contains
  dagger ask run=PATH                           expert=file: which states wait for labels
  dagger answer run=PATH file=PATH              expert=file: takes labels
  dagger --help | --version

Groups of dagger train (one option of each; beta=... is short for beta_schedule=...):
{{groups}}

Examples:
  dagger train env=bipedal beta=linear
  dagger train env=cartpole trainer=sup labels=2000 seed=3
  dagger train env=gym env.id=MyEnv-v0 env.import=my_envs expert=python expert.target=my_envs.expert
  dagger train -m trainer=sup,dagger seed=0,1,2
  dagger train resume=outputs/bipedal/dagger/TIME rounds=20
  dagger eval checkpoint=outputs/bipedal/dagger/TIME video=walk.mp4 episodes=1
  dagger report outputs/cartpole

More:
  dagger train --help                  every key with its default
  dagger train ... --cfg job           show the composed config and stop
  eval "$(dagger train -sc install=bash)"   shell completion of groups and options
  --traceback or DAGGER_TRACEBACK=1    show the full traceback of an error
"""


EXPERT_HELP = """\
dagger expert: list, evaluate and convert experts (groups env= and expert= as in dagger train)

Usage:
  dagger expert list env=NAME                       bundled, trained here, cached, on the Hub
  dagger expert show env=NAME [expert=...]          source, digest, network, published score
  dagger expert score env=NAME [expert=...]         evaluate it, compare with its published score
  dagger expert fetch env=NAME [expert.algo=ALGO]   download from the Hub, write as safetensors
  dagger expert convert env=NAME expert.path=PATH out=FOLDER

Examples:
  dagger expert list env=bipedal
  dagger expert score env=bipedal expert.algo=ppo episodes=20
  dagger expert fetch env=lunarlander out=experts/lander

More:
  dagger expert score --help    every key of the command with its default
"""


def help_text(words: Sequence[str]) -> str:
    """Returns the text of `dagger --help`, with the options of plug-ins and of a --config-dir."""
    folders = [b for a, b in pairwise(words) if a in ("--config-dir", "-cd")]
    folders += [word.partition("=")[2] for word in words if word.startswith("--config-dir=")]
    known = _with_plugins(folders) if folders or find_spec("hydra_plugins") else options()
    rows = [f"  {group:<14} {', '.join(names)}" for group, names in known.items()]
    return HELP.format(groups="\n".join(rows))


def _with_plugins(folders: Sequence[str]) -> dict[str, list[str]]:
    """Returns the options of each group in all folders that Hydra would search."""
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra._internal.utils import create_config_search_path
    from hydra.core.object_type import ObjectType

    from dagger_cli.cli.hydra_compat import use_defaults_of_1_3

    use_defaults_of_1_3()
    search = create_config_search_path(str(config_dir()))
    for folder in folders:
        search.append("command-line", f"file://{folder}")
    loader = ConfigLoaderImpl(config_search_path=search)
    return {group: loader.get_group_options(group, ObjectType.CONFIG) for group in GROUPS}
