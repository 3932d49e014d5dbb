"""`dagger train`: the loop with everything that watches it, then the final table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from dagger_cli.commands.final_scores import final_scores
from dagger_cli.config.build import TrainJob
from dagger_cli.config.components import open_for
from dagger_cli.core.state import State
from dagger_cli.core.types import Score
from dagger_cli.loop.regret import advice
from dagger_cli.loop.rollout import begin
from dagger_cli.loop.run import Best, run
from dagger_cli.loop.validate import Validation
from dagger_cli.tracking.checkpoint import CheckpointWriter, restore
from dagger_cli.tracking.console import Console
from dagger_cli.tracking.metrics import MetricsFile
from dagger_cli.tracking.run_lock import lock_existing_run, lock_new_run
from dagger_cli.tracking.run_paths import VERSIONS
from dagger_cli.tracking.summary import write_summary
from dagger_cli.tracking.tensorboard import TensorBoard
from dagger_cli.tracking.versions import versions
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.files import write_json, write_text
from dagger_cli.utils.malloc import trim_heap, use_mmap_for_large
from dagger_cli.utils.memmap import allocator


def train(job: TrainJob, folder: Path, *, resume: bool, exact: bool = True) -> Score:
    """Run (or go on with) the job in `folder`; returns the student's score.

    A new run takes a folder beside it where others have that one and it need not be `exact` it.
    """
    clock = time.monotonic()
    use_mmap_for_large()
    with ExitStack() as stack:
        stack.enter_context(closing(job.kit))
        if resume:
            stack.enter_context(lock_existing_run(folder))
        else:
            first = job.trainer.start(job.kit)  # what it cannot do is said before there is a folder
            folder = stack.enter_context(lock_new_run(folder, exact=exact))
        allocate = allocator(job.config["aggregate"]["storage"], folder)
        job = replace(job, kit=replace(job.kit, allocate=allocate))
        console = Console(
            rounds=job.kit.budget.rounds,
            failure_name=job.env.failure_name,
            per_step_name=job.env.per_step_name,
        )
        stack.callback(console.close)
        stack.push(_after_interrupt(console, folder))
        state, best = restore(folder, job.kit) if resume else (first, None)
        _write_config(job, folder, resume=resume)
        if not resume:
            begin(job.kit)
        console.start(_header(job, folder), job.notes, round=state.round)
        board = TensorBoard(folder / "tb", labels=state.usage.labels)
        stack.enter_context(closing(board))
        board.start(_yaml(job.config))
        observers = (
            MetricsFile(folder / "metrics.jsonl", round=state.round),
            board,
            CheckpointWriter(
                folder=folder, kit=job.kit, config=job.config, card=job.kit.expert.card
            ),
            console,
            lambda finished: trim_heap(),
        )
        state, best = _rounds(job, state, best, observers)
        assert best is not None
        scores = final_scores(job, folder, console)
        round = state.round if job.student == "last" else best.round
        _report(job, folder, state, best, round, scores, board, time.monotonic() - clock)
        console.finish(
            {"expert": scores["expert"], f"student (round {round})": scores["student"]},
            usage=state.usage,
            wall_seconds=time.monotonic() - clock,
            run=folder,
            advice=advice(state.metrics, scores["student"], scores["expert"]),
            shown=_shown(job),
        )
    return scores["student"]


def _after_interrupt(console: Console, folder: Path) -> Callable[..., None]:
    """An exit callback that says how to go on with what Ctrl-C stopped."""

    def say(kind: type[BaseException] | None, *_: object) -> None:
        if kind is KeyboardInterrupt and (folder / "checkpoints" / "last").exists():
            console.interrupted(folder)

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
    job: TrainJob,
    folder: Path,
    state: State,
    best: Best,
    round: int,
    scores: Mapping[str, Score],
    board: TensorBoard,
    seconds: float,
) -> None:
    student, expert = scores["student"], scores["expert"]
    results = {
        "final/return_mean": student.mean,
        "final/return_std": student.std,
        "final/failures": float(student.failures),
        "expert/return_mean": expert.mean,
    }
    board.finish(dict(_flat(job.config)), results)
    write_summary(
        folder,
        student=student,
        round=round,
        expert=expert,
        best=best,
        usage=state.usage,
        wall_seconds=seconds,
        shown=_shown(job),
    )


def _shown(job: TrainJob) -> bool:
    return bool(job.env.source.render_modes)


def _flat(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif key != "_target_" and value is not None:
            yield f"{prefix}{key}", value


def _yaml(config: Mapping[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True))
