"""The end of a run: summary.json, the final table, and what it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dagger_cli.config.build import GROUPS, TrainJob
from dagger_cli.config.trust import foreign_packages
from dagger_cli.core.state import State
from dagger_cli.core.types import Score
from dagger_cli.loggers.interface import RunResult
from dagger_cli.loop.advice import advice
from dagger_cli.loop.run import Best
from dagger_cli.tracking.checkpoint import read_manifest, resolve_checkpoint
from dagger_cli.tracking.console import Console
from dagger_cli.tracking.summary import ExtraWords, choice_in_words, write_summary


def report(
    job: TrainJob,
    folder: Path,
    result: RunResult,
    state: State,
    best: Best,
    objective: float,
    console: Console,
    pictures: Mapping[str, Path | None],
    notes: Sequence[str],
) -> None:
    """Writes summary.json and prints the final table, and what it shows.

    `pictures` are files in the folder, `notes` are sentences of their own.
    """
    source, extra = job.env.source, extra_words(job)
    shown = bool(source.render_modes) and getattr(source, "has_window", True)
    write_summary(
        folder,
        student=result.student,
        round=result.round,
        expert=result.expert,
        best=best,
        objective=(job.objective, objective),
        usage=result.usage,
        wall_seconds=result.wall_seconds,
        shown=shown,
        extra=extra,
    )
    expert = {} if result.expert is None else {"expert": result.expert}
    console.finish(
        {**expert, f"student (round {result.round})": result.student},
        usage=result.usage,
        wall_seconds=result.wall_seconds,
        run=folder,
        pictures=pictures,
        notes=notes,
        chosen=choice_in_words(
            best, state.round, by=job.best_by, tolerance=job.tolerance, last=job.student == "last"
        ),
        advice=_advice(job, folder, result, state),
        shown=shown,
        extra=extra,
    )


def _advice(job: TrainJob, folder: Path, result: RunResult, state: State) -> str:
    """Returns the last line, from the figures of the round that was scored."""
    if result.expert is None:
        return ""
    same = result.round == state.round
    scored = state if same else read_manifest(resolve_checkpoint(folder / job.student))
    policy = job.config["policy"]
    keys = [f"policy.{key}" for key in ("gradient_steps", "epochs") if policy.get(key) is not None]
    early = _early(job, state, result.expert)
    rate = ", a higher policy.learning_rate" if "learning_rate" in policy else ""
    return advice(
        scored.metrics,
        result.student,
        result.expert,
        horizon=job.kit.horizon,
        highest=getattr(job.env.source, "highest_return", None),
        new_labels=None if state.data is None else len(state.data.newest),
        early=early,
        slower=_slower(job) if early is not None else "",
        longer_fit=f"a longer fit ({keys[0]}){rate}" if keys else "a longer fit",
        **_fitting_words(job),
    )


def _fitting_words(job: TrainJob) -> dict[str, str]:
    """Returns words of the advice that differ where the usual ones would not work."""
    words = {}
    if job.config["trainer"]["name"] == "dagger":
        words["own_states"] = "more rounds, in which it acts in more of them, may help"
    if len(job.env.source.observation_space.shape) == 3:  # of pictures, which policy=gru refuses
        words["past"] = "view.stack=8"
    if getattr(job.env.source, "with_past", False):
        words["past"] = f"policy.truncate={4 * job.config['policy']['truncate']}"
    return words


def _early(job: TrainJob, state: State, expert: Score) -> float | None:
    """Returns the share of the last labels in the first tenth of the expert's mean episode.

    None where it says nothing: the trainer is not DAgger, or lets the expert act up to a drawn step
    already; the expert acted in every step; a round is too short to get further; or the student
    sees less than the expert, whose acting for longer then does not help (docs/views.md).
    """
    if state.data is None or job.config["trainer"].get("roll_in") != "none" or job.kit.hides:
        return None
    newest, tenth = state.data.newest, expert.lengths.mean() / 10
    if state.metrics.get("train/beta") == 1 or len(newest) < tenth * job.config["n_envs"]:
        return None
    return float((newest.steps < tenth).mean())


def _slower(job: TrainJob) -> str:
    """Returns the keys by which the expert acts for longer, but not those that the run has."""
    linear = job.config["trainer"]["beta"]["_target_"].endswith(".Linear")
    return "trainer.roll_in=uniform" if linear else "beta=linear, or trainer.roll_in=uniform"


def extra_words(job: TrainJob) -> ExtraWords:
    """Returns overrides that later commands on this run need: `trust` and loggers."""
    to_evaluate = _trust(foreign_packages(job.config, ("env", "policy")))
    to_resume = _trust(foreign_packages(job.config, GROUPS))
    return ExtraWords(to_evaluate, (*to_resume, *job.logger_words))


def _trust(packages: Sequence[str]) -> tuple[str, ...]:
    return (f"trust=[{','.join(packages)}]",) if packages else ()
