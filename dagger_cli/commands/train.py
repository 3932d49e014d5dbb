"""`dagger train`: the loop with its loggers and checkpoints, then the final table."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagger_cli.commands.final_scores import final_scores, student_of
from dagger_cli.commands.objective import check_objective, objective_of
from dagger_cli.commands.person import keep_answers, round_teller
from dagger_cli.commands.run_header import header
from dagger_cli.commands.run_pictures import write_curve, write_gif
from dagger_cli.commands.train_report import extra_words, report
from dagger_cli.config.build import TrainJob
from dagger_cli.config.components import open_for
from dagger_cli.core.errors import Paused
from dagger_cli.core.progress import watched
from dagger_cli.core.state import State
from dagger_cli.loggers.interface import Guarded, RunInfo, RunResult
from dagger_cli.loggers.run_folder import ConsoleLogger
from dagger_cli.loop.rollout import begin
from dagger_cli.loop.run import Best, Observer, run
from dagger_cli.loop.validate import Validation
from dagger_cli.tracking.answers import has_answers
from dagger_cli.tracking.checkpoint import CheckpointWriter, changed_code, restore
from dagger_cli.tracking.console import Console
from dagger_cli.tracking.remains import check_links, remove_drafts
from dagger_cli.tracking.run_lock import lock_existing_run, lock_new_run
from dagger_cli.tracking.run_paths import LOG, QUESTIONS, VERSIONS
from dagger_cli.tracking.run_words import WORDS, run_words
from dagger_cli.tracking.summary import ExtraWords, is_scored
from dagger_cli.tracking.versions import versions
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.files import open_log, shown_path, write_json, write_text
from dagger_cli.utils.malloc import trim_heap, use_mmap_for_large
from dagger_cli.utils.memmap import allocator

if TYPE_CHECKING:
    import rich.console


def train(
    job: TrainJob,
    folder: Path,
    *,
    resume: Path | None = None,
    exact: bool = True,
    again: bool = False,
    score_again: bool = True,
    logged: bool = False,
    answered: bool = False,
    watchers: Sequence[Observer] = (),
) -> Path:
    """Runs the job in `folder`, or continues it from the checkpoint `resume`; returns the folder.

    Where `folder` is taken and `exact` is false, a new run uses another name beside it. A resumed
    run without rounds left is scored again only with `score_again`, or if it has no score yet.
    `answered`: the folder has a person's answers in a first round that was interrupted, which are
    repeated; `again`: the run in `folder` paused before its first round was finished, and begins
    once more. `logged`: what the console shows goes to console.log in the folder. `watchers` are
    called last after each round.
    """
    clock = time.monotonic()
    use_mmap_for_large()
    with ExitStack() as stack:
        stack.enter_context(closing(job.kit))
        check_objective(job)
        if again:
            folder, first = _begun_again(job, folder, stack)
        else:
            folder, first = _locked(
                job, folder, stack, resume=resume, exact=exact, answered=answered
            )
        allocate = allocator(job.config["aggregate"]["storage"], folder)
        job = replace(job, kit=replace(job.kit, allocate=allocate))
        job = _asking_in(job, folder)
        console = _console(job, folder, stack, logged=logged)
        keep_answers(job, folder, _yaml(job.config))
        if resume is None:
            assert first is not None
            state, best = first, None
            begin(job.kit)
        else:
            state, best = restore(resume, job.kit)
            scored = is_scored(folder, state.usage)
            if state.round == job.kit.budget.rounds and scored and not score_again:
                console.start([("run", shown_path(folder))], [_nothing_left(state.round)])
                return folder
            job = replace(job, notes=(*job.notes, *changed_code(resume, job.kit.expert.card)))
        _write_config(job, folder, new=resume is None)
        console.start(header(job, folder), job.notes, round=state.round)
        loggers = _started_loggers(job, folder, state, stack)
        own = _watchers(job, folder, state, console)
        try:
            state, best = _rounds(job, state, best, (*loggers, *own, *watchers))
        except Paused as pause:
            console.paused(folder, str(pause), extra_words(job))
            return folder
        assert best is not None
        student = student_of(job, folder)
        scores = final_scores(job, student, console)
        curve = write_curve(folder, state.round, scores.expert)
        gif, gif_note = write_gif(job, folder, student) if job.gif else (None, "")
        objective = objective_of(job, folder, best.mean)
        round = state.round if job.student == "last" else best.round
        result = RunResult(
            scores.student,
            scores.expert,
            round,
            state.usage,
            time.monotonic() - clock,
            gif,
        )
        for logger in loggers:
            logger.finish(result)
        pictures = {"curve": curve, "gif": gif}
        notes = [note for note in (scores.note, gif_note) if note]
        report(job, folder, result, state, best, objective, console, pictures, notes)
    return folder


def _asking_in(job: TrainJob, folder: Path) -> TrainJob:
    """Returns the job with the run's folder for questions, where its expert answers later."""
    expert: Any = job.kit.expert
    if not hasattr(expert, "in_folder"):
        return job
    return replace(job, kit=replace(job.kit, expert=expert.in_folder(folder / QUESTIONS)))


def _nothing_left(rounds: int) -> str:
    return (
        f"the run has finished its {rounds} rounds, so nothing is left to train: give rounds=... "
        "to continue, or evaluation.episodes=... to score it again"
    )


def _locked(
    job: TrainJob,
    folder: Path,
    stack: ExitStack,
    *,
    resume: Path | None,
    exact: bool,
    answered: bool,
) -> tuple[Path, State | None]:
    """Locks the run's folder; returns it with the first state, None where a run is resumed."""
    if resume is not None:
        stack.enter_context(lock_existing_run(folder))
        remove_drafts(folder)
        check_links(folder)
        return folder, None
    first = job.trainer.start(job.kit)  # may raise, so before the folder is created
    new = lock_new_run(folder, exact=exact, config=job.config, answered=answered)
    return stack.enter_context(new), first


def _begun_again(job: TrainJob, folder: Path, stack: ExitStack) -> tuple[Path, State | None]:
    """Locks the folder of a run that has paused in its first round."""
    first = job.trainer.start(job.kit)
    stack.enter_context(lock_existing_run(folder))
    remove_drafts(folder)
    check_links(folder)
    return folder, first


def _console(job: TrainJob, folder: Path, stack: ExitStack, *, logged: bool) -> Console:
    """Returns the console, which prints nothing without `logger=console`."""
    console = Console(
        out=_log(folder, stack) if logged else None,
        rounds=job.kit.budget.rounds,
        failure_name=job.env.failure_name,
        per_step_name=job.env.per_step_name,
        return_name=job.env.return_name,
        quiet=not any(isinstance(one, ConsoleLogger) for one in job.loggers.values()),
    )
    stack.enter_context(watched(console.fitting))
    stack.callback(console.close)
    stack.push(_after_interrupt(console, folder, extra_words(job)))
    return console


def _started_loggers(
    job: TrainJob, folder: Path, state: State, stack: ExitStack
) -> tuple[Guarded, ...]:
    loggers = tuple(Guarded(name, logger) for name, logger in job.loggers.items())
    text, words = _yaml(job.config), run_words(folder)
    run = RunInfo(folder, job.config, text, state.round, state.usage.labels, words)
    for logger in loggers:
        stack.callback(logger.close)
        logger.start(run)
    return loggers


def _watchers(job: TrainJob, folder: Path, state: State, console: Console) -> tuple[Observer, ...]:
    """Returns the observers after the loggers: checkpoint writer, console, heap trimming."""
    writer = CheckpointWriter(
        folder=folder,
        kit=job.kit,
        config=job.config,
        card=job.kit.expert.card,
        round=state.round,
    )
    return writer, console, lambda finished: trim_heap(), *round_teller(job, state)


def _log(folder: Path, stack: ExitStack) -> rich.console.Console:
    from rich.console import Console as RichConsole

    with writing(folder / LOG):
        file = stack.enter_context(open_log(folder / LOG))
    return RichConsole(file=file, width=80, force_terminal=False, color_system=None)


def _after_interrupt(console: Console, folder: Path, extra: ExtraWords) -> Callable[..., None]:
    """Returns an exit callback that prints how to resume a run stopped by Ctrl-C or by a signal."""

    def say(kind: type[BaseException] | None, *_: object) -> None:
        stopped = kind is not None and issubclass(kind, KeyboardInterrupt)
        if stopped and ((folder / "checkpoints" / "last").exists() or has_answers(folder)):
            console.interrupted(folder, extra)

    return say


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
            best_by=job.best_by,
        )


def _write_config(job: TrainJob, folder: Path, *, new: bool) -> None:
    with writing(folder):
        if new:
            write_json(folder / VERSIONS, {**versions(), WORDS: job.words})
        write_text(folder / "config.yaml", _yaml(job.config))


def _yaml(config: Mapping[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True))
