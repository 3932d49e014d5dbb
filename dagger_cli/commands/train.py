"""`dagger train`: the loop with its loggers and checkpoints, then the final table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from dagger_cli.commands.final_scores import final_scores
from dagger_cli.config.build import GROUPS, TrainJob
from dagger_cli.config.components import open_for
from dagger_cli.config.trust import foreign_packages
from dagger_cli.core.state import State
from dagger_cli.core.types import Score
from dagger_cli.loggers.interface import Guarded, RunInfo, RunResult
from dagger_cli.loggers.run_folder import ConsoleLogger
from dagger_cli.loop.regret import advice
from dagger_cli.loop.rollout import begin
from dagger_cli.loop.run import Best, Observer, run
from dagger_cli.loop.validate import Validation
from dagger_cli.tracking.checkpoint import CheckpointWriter, changed_code, restore
from dagger_cli.tracking.console import Console
from dagger_cli.tracking.run_lock import lock_existing_run, lock_new_run
from dagger_cli.tracking.run_paths import VERSIONS
from dagger_cli.tracking.summary import ExtraWords, write_summary
from dagger_cli.tracking.versions import versions
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.files import write_json, write_text
from dagger_cli.utils.malloc import trim_heap, use_mmap_for_large
from dagger_cli.utils.memmap import allocator


class Trained(NamedTuple):
    """A finished run: its folder and the student's final score."""

    folder: Path
    student: Score


def train(job: TrainJob, folder: Path, *, resume: bool, exact: bool = True) -> Trained:
    """Runs (or continues) the job in `folder`; returns its folder and the student's score.

    Where `folder` is taken and `exact` is false, a new run uses another name beside it.
    """
    clock = time.monotonic()
    use_mmap_for_large()
    with ExitStack() as stack:
        stack.enter_context(closing(job.kit))
        folder, first = _locked(job, folder, stack, resume=resume, exact=exact)
        allocate = allocator(job.config["aggregate"]["storage"], folder)
        job = replace(job, kit=replace(job.kit, allocate=allocate))
        console = _console(job, folder, stack)
        state, best = restore(folder, job.kit) if first is None else (first, None)
        _write_config(job, folder, resume=resume)
        if not resume:
            begin(job.kit)
        notes = (*job.notes, *(changed_code(folder, job.kit.expert.card) if resume else ()))
        console.start(_header(job, folder), notes, round=state.round)
        loggers = _started_loggers(job, folder, state, stack)
        state, best = _rounds(job, state, best, (*loggers, *_watchers(job, folder, console)))
        assert best is not None
        scores = final_scores(job, folder, console)
        round = state.round if job.student == "last" else best.round
        result = RunResult(
            scores["student"], scores["expert"], round, state.usage, time.monotonic() - clock
        )
        hint = advice(state.metrics, result.student, result.expert)
        for logger in loggers:
            logger.finish(result)
        _report(job, folder, result, best, hint, console)
    return Trained(folder, scores["student"])


def _locked(
    job: TrainJob, folder: Path, stack: ExitStack, *, resume: bool, exact: bool
) -> tuple[Path, State | None]:
    """Locks the run's folder; returns it with the first state, None where a run is resumed."""
    if resume:
        stack.enter_context(lock_existing_run(folder))
        return folder, None
    first = job.trainer.start(job.kit)  # may raise, so before the folder is created
    return stack.enter_context(lock_new_run(folder, exact=exact)), first


def _console(job: TrainJob, folder: Path, stack: ExitStack) -> Console:
    """Returns the console, which prints nothing without `logger=console`."""
    console = Console(
        rounds=job.kit.budget.rounds,
        failure_name=job.env.failure_name,
        per_step_name=job.env.per_step_name,
        quiet=not any(isinstance(one, ConsoleLogger) for one in job.loggers.values()),
    )
    stack.callback(console.close)
    stack.push(_after_interrupt(console, folder, extra_words(job)))
    return console


def _started_loggers(
    job: TrainJob, folder: Path, state: State, stack: ExitStack
) -> tuple[Guarded, ...]:
    loggers = tuple(Guarded(name, logger) for name, logger in job.loggers.items())
    run = RunInfo(folder, job.config, _yaml(job.config), state.round, state.usage.labels)
    for logger in loggers:
        stack.callback(logger.close)
        logger.start(run)
    return loggers


def _watchers(job: TrainJob, folder: Path, console: Console) -> tuple[Observer, ...]:
    """Returns the observers after the loggers: checkpoint writer, console, heap trimming."""
    writer = CheckpointWriter(
        folder=folder, kit=job.kit, config=job.config, card=job.kit.expert.card
    )
    return writer, console, lambda finished: trim_heap()


def _after_interrupt(console: Console, folder: Path, extra: ExtraWords) -> Callable[..., None]:
    """Returns an exit callback that prints how to resume a run stopped by Ctrl-C."""

    def say(kind: type[BaseException] | None, *_: object) -> None:
        if kind is KeyboardInterrupt and (folder / "checkpoints" / "last").exists():
            console.interrupted(folder, extra)

    return say


def extra_words(job: TrainJob) -> ExtraWords:
    """Returns overrides that later commands on this run need: `trust` and loggers."""
    to_evaluate = _trust(foreign_packages(job.config, ("env", "policy")))
    to_resume = _trust(foreign_packages(job.config, GROUPS))
    return ExtraWords(to_evaluate, (*to_resume, *job.logger_words))


def _trust(packages: Sequence[str]) -> tuple[str, ...]:
    return (f"trust=[{','.join(packages)}]",) if packages else ()


def _rounds(
    job: TrainJob, state: State, best: Best | None, observers: tuple[Any, ...]
) -> tuple[State, Best | None]:
    seeds = job.validation_seeds
    with ExitStack() as stack:
        validate = None
        if seeds:
            env = stack.enter_context(closing(open_for(job.env.source, len(seeds))))
            validate = Validation(env, job.kit.expert, seeds, job.config["seed"], job.queries)
        return run(
            job.trainer,
            job.kit,
            state,
            best,
            validate,
            job.tolerance,
            observers,
            regret=job.regret,
        )


def _write_config(job: TrainJob, folder: Path, *, resume: bool) -> None:
    with writing(folder):
        if not resume:
            write_json(folder / VERSIONS, versions())
        write_text(folder / "config.yaml", _yaml(job.config))


def _header(job: TrainJob, folder: Path) -> list[tuple[str, str]]:
    config, budget, card = job.config, job.kit.budget, job.kit.expert.card
    size = f"{budget.total:,} labels in {budget.rounds} rounds of about {budget.steps(0):,}"
    header = [
        ("env", f"{config['env']['id']}, {config['n_envs']} at once{_backend(config['env'])}"),
        ("expert", f"{card.name} ({card.source})"),
        ("policy", " ".join(_words(config["policy"], ("sizes", "activation")))),
        ("trainer", config["trainer"]["name"]),
        ("budget", size),
        ("seed", str(config["seed"])),
        ("run", str(folder)),
    ]
    if isinstance(config["trainer"].get("beta"), Mapping):
        header.insert(4, ("beta", " ".join(_words(config["beta_schedule"], None))))
    return header


def _backend(env: Mapping[str, Any]) -> str:
    return f", by {env['backend']}" if "backend" in env else ""


def _words(node: Mapping[str, Any], keys: tuple[str, ...] | None) -> Iterator[str]:
    yield str(node.get("name") or str(node["_target_"]).rpartition(".")[2].lower())
    for key in keys or [key for key in node if key not in ("_target_", "name", "by")]:
        if key in node:
            yield f"{key}={node[key]}"


def _report(
    job: TrainJob, folder: Path, result: RunResult, best: Best, hint: str, console: Console
) -> None:
    """Writes summary.json and prints the final table."""
    shown, extra = _shown(job), extra_words(job)
    write_summary(
        folder,
        student=result.student,
        round=result.round,
        expert=result.expert,
        best=best,
        usage=result.usage,
        wall_seconds=result.wall_seconds,
        shown=shown,
        extra=extra,
    )
    console.finish(
        {"expert": result.expert, f"student (round {result.round})": result.student},
        usage=result.usage,
        wall_seconds=result.wall_seconds,
        run=folder,
        advice=hint,
        shown=shown,
        extra=extra,
    )


def _shown(job: TrainJob) -> bool:
    return bool(job.env.source.render_modes)


def _yaml(config: Mapping[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True))
