"""Functions that run each command with its composed config."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from dagger_cli.cli.other_names import hub_hint
from dagger_cli.core.errors import CheckpointError, ConfigError, Pruned
from dagger_cli.core.types import DeferredExpert, Expert, Score
from dagger_cli.sweeps.job_file import FINISHED, PRUNED, Job
from dagger_cli.utils.system import at_home


class Result(NamedTuple):
    """Result of a job: its score as numbers, and the number that a sweeper optimizes."""

    summary: dict[str, Any]
    objective: float


def user_words() -> list[str]:
    """Returns the overrides of this job as they were given, without those of Hydra's own keys."""
    words = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)
    assert isinstance(words, list)
    return [str(word) for word in words]


def _train(cfg: DictConfig) -> None:
    trained(cfg)


def trained(cfg: DictConfig) -> Path:
    """Trains as a composed config says; returns the run's folder."""
    from dagger_cli.commands.train import train
    from dagger_cli.config.build import train_job
    from dagger_cli.config.from_checkpoint import resumed_job
    from dagger_cli.config.plain import keys_in
    from dagger_cli.tracking.answers import answers_config, unfinished_first_round
    from dagger_cli.tracking.checkpoint import read_manifest, resolve_resumed
    from dagger_cli.tracking.checkpoint_read import offering_best
    from dagger_cli.tracking.paused import paused_at_start, read_config
    from dagger_cli.tracking.run_paths import CONFIG

    config = HydraConfig.get()
    words = user_words()
    if cfg.resume is None:
        folder = Path(os.path.abspath(config.runtime.output_dir))  # an environment may go elsewhere
        chosen = any(str(word).startswith("hydra.run.dir=") for word in config.overrides.hydra)
        return train(train_job(cfg, words, sweep=False), folder, exact=chosen)
    given = Path(os.path.abspath(_from_start(cfg.resume)))
    first = unfinished_first_round(given)
    if first is not None:
        return train(resumed_job(cfg, words, answers_config(first)), first, answered=True)
    if paused_at_start(given):
        job = resumed_job(cfg, words, read_config(given / CONFIG))
        return train(job, given, again=True)
    checkpoint = resolve_resumed(given)
    with offering_best(checkpoint):
        saved = read_manifest(checkpoint).config
    again = any(key.startswith("evaluation.") for key in keys_in(words))
    folder = checkpoint.parent.parent
    return train(resumed_job(cfg, words, saved), folder, resume=checkpoint, score_again=again)


def job_of_a_sweep(cfg: DictConfig, job: Job) -> Job:
    """Trains in the job's folder, from its last round if it has one; returns the job's result."""
    from dagger_cli.commands.train import train
    from dagger_cli.config.build import train_job
    from dagger_cli.config.from_checkpoint import resumed_job, told_again
    from dagger_cli.hydra_plugins.pruning import watcher
    from dagger_cli.tracking.checkpoint import read_manifest, resolve_resumed
    from dagger_cli.tracking.pointers import has_rounds
    from dagger_cli.tracking.run_paths import CHECKPOINTS
    from dagger_cli.tracking.summary import read_summary

    config = HydraConfig.get()
    here, folder = Path.cwd(), job.folder
    checkpoint = resolve_resumed(folder) if has_rounds(folder / CHECKPOINTS) else None
    if checkpoint is None:
        made = train_job(cfg, job.words, sweep=True)
    else:
        made = resumed_job(cfg, told_again(job.words), read_manifest(checkpoint).config)
    _must_not_pause(made.kit.expert)
    pruner = watcher(config.sweeper, Path(config.sweep.dir).absolute(), folder)
    watchers = [] if pruner is None else [pruner]
    try:
        train(made, folder, resume=checkpoint, score_again=False, logged=True, watchers=watchers)
    except Pruned as err:
        return replace(job, status=PRUNED, error=str(err), notes=made.notes)
    finally:
        os.chdir(here)  # an environment may have left it, and a sweep has other jobs
    done = read_summary(folder)
    return replace(
        job,
        status=FINISHED,
        score=done.student,
        expert=done.expert,
        objective=done.objective,
        labels=done.usage["labels"],
        notes=made.notes,
    )


def _must_not_pause(expert: Expert) -> None:
    """Raises ConfigError for an expert whose run ends before it has a result."""
    if isinstance(expert, DeferredExpert):
        raise ConfigError(
            "expert=file pauses a run until it is answered, which a job of a sweep cannot do: "
            "start the runs one by one"
        )


def _eval(cfg: DictConfig) -> Result:
    from dagger_cli.commands.eval import score
    from dagger_cli.config.build import expert_job
    from dagger_cli.config.from_checkpoint import eval_job
    from dagger_cli.tracking.checkpoint import read_manifest, resolve_checkpoint

    # Before there is an environment, which may change the current folder.
    video, json = (cfg[key] and os.path.abspath(at_home(cfg[key])) for key in ("video", "json"))
    if cfg.checkpoint == "expert":
        job, checkpoint = expert_job(cfg), None
    else:
        try:
            checkpoint = resolve_checkpoint(_from_start(cfg.checkpoint))
        except CheckpointError as err:
            missing = not at_home(cfg.checkpoint).parent.exists()
            raise CheckpointError(f"{err}{hub_hint(cfg.checkpoint) if missing else ''}") from err
        job = eval_job(cfg, user_words(), read_manifest(checkpoint).config)
    return _scored(
        score(job, checkpoint, render=cfg.render, video=video, json=json, width=_width(cfg))
    )


def _scored(score: Score) -> Result:
    from dagger_cli.tracking.summary import score_summary

    return Result(score_summary(score), score.mean)


def _width(cfg: DictConfig) -> int | None:
    """Returns the beam width, None for greedy actions."""
    if cfg.decode not in ("greedy", "beam"):
        raise ConfigError(f"decode must be greedy or beam, got '{cfg.decode}'")
    if cfg.decode == "greedy" and "width" in _keys():
        raise ConfigError(f"width={cfg.width} has no effect without decode=beam")
    return int(cfg.width) if cfg.decode == "beam" else None


def _expert_list(cfg: DictConfig) -> None:
    from dagger_cli.commands.expert import list_known

    if "expert" in {key.partition(".")[0] for key in _keys()}:
        raise ConfigError("dagger expert list shows all experts: leave out expert=...")
    chosen = HydraConfig.get().runtime.choices
    own = None if chosen["expert"] == "hub" else chosen["expert"]
    words = f"env={chosen['env']}"
    if chosen["env"] == "gym":
        words += f" env.id={cfg.env.id}"
    list_known(str(cfg.env.get("id", cfg.env.name)), words, own)


def _expert_show(cfg: DictConfig) -> None:
    from dagger_cli.commands.expert import show
    from dagger_cli.config.build import expert_parts

    env, expert = expert_parts(cfg)
    show(expert, str(env.source.id))


def _expert_score(cfg: DictConfig) -> Result:
    from dagger_cli.commands.expert import score
    from dagger_cli.config.build import expert_job

    return _scored(score(expert_job(cfg), cfg.json))


def _expert_fetch(cfg: DictConfig) -> None:
    if "fallback" not in cfg.expert:
        raise ConfigError(
            "dagger expert fetch downloads from the Hub (expert=hub); for an agent on this "
            "machine, use dagger expert convert"
        )
    cfg.expert.fallback = "none"
    _expert_convert(cfg)


def _expert_convert(cfg: DictConfig) -> None:
    from dagger_cli.commands.expert import save
    from dagger_cli.config.build import expert_parts

    out = cfg.out  # read first: raises an error if it is missing
    env, expert = expert_parts(cfg)
    save(expert, str(env.source.id), out)


def _push(cfg: DictConfig) -> None:
    from dagger_cli.commands.push import push

    push(
        str(_from_start(cfg.checkpoint)),
        cfg.repo_id,
        private=cfg.private,
        video=cfg.video,
        message=cfg.message,
    )


def _export(cfg: DictConfig) -> None:
    from dagger_cli.commands.export import check, export
    from dagger_cli.config.from_checkpoint import student_parts
    from dagger_cli.config.trust import trusted
    from dagger_cli.tracking.checkpoint import load_policy, read_manifest, resolve_checkpoint

    folder = resolve_checkpoint(_from_start(cfg.checkpoint))
    path = at_home(cfg.path)
    check(cfg.format, path)
    env, learner = student_parts(read_manifest(folder).config, trusted(cfg.get("trust"), {}))
    policy = load_policy(folder, learner, env.source.action_space)
    recording = None
    if cfg.critic:
        from dagger_cli.commands.returns import recording_of

        if cfg.format != "sb3":
            raise ConfigError(f"critic=true has no effect with format={cfg.format}: use format=sb3")
        recording = recording_of(folder, trusted(cfg.get("trust"), {}))
    export(folder, cfg.format, path, policy, env, recording)


TASKS: dict[str, Callable[[DictConfig], Result | None]] = {
    "train": _train,
    "eval": _eval,
    "expert fetch": _expert_fetch,
    "expert show": _expert_show,
    "expert list": _expert_list,
    "expert score": _expert_score,
    "expert convert": _expert_convert,
    "push": _push,
    "export": _export,
}


def _keys() -> frozenset[str]:
    from dagger_cli.config.plain import keys_in

    return keys_in(user_words())


def _from_start(path: str) -> Path:
    """Resolves a path in the folder of the command line, which hydra.job.chdir may leave."""
    from dagger_cli.tracking.latest import with_latest

    start = Path(HydraConfig.get().runtime.cwd)
    return with_latest(at_home(path), Path() if start == Path.cwd() else start)
