"""`dagger ask` and `dagger answer`: labels by file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dagger_cli.core.errors import ConfigError
from dagger_cli.data.answers import (
    Answers,
    agreement,
    all_answers,
    combined,
    read_answers,
    take_answers,
)
from dagger_cli.data.questions import ANSWERS, Questions, newest_questions
from dagger_cli.data.questions_readme import action_in_words
from dagger_cli.tracking.run_paths import CHECKPOINTS, QUESTIONS, check_inside, shard_path
from dagger_cli.utils.files import shown_path


def ask(run: Path) -> None:
    """Prints which states wait for labels, and what has been answered."""
    questions = _open(run)
    print(f"round     {questions.round}")
    print(f"states    {len(questions.states):,} in {shown_path(questions.folder)}")
    print(f"wanted    {action_in_words(questions.action_space).replace('`', '')}")
    _print_answers(questions, all_answers(questions))
    print(f"answer    dagger answer run={shown_path(run)} file=FILE by=NAME")
    print(f"go on     dagger train resume={shown_path(run)}")


def answer(run: Path, file: Path, by: str | None) -> None:
    """Checks a file of answers and keeps them in the run's folder, under a name."""
    questions = _open(run)
    new = read_answers(file, questions)
    take_answers(questions, new, by or file.stem)
    print(f"taken     {len(new.rows):,} answers by {by or file.stem}, round {questions.round}")
    _print_answers(questions, all_answers(questions))


def _open(run: Path) -> Questions:
    """Returns the states of a round that is not finished; raises ConfigError without any."""
    if not run.is_dir():
        raise ConfigError(f"there is no run at {run}")
    questions = newest_questions(run / QUESTIONS)
    if questions is None:
        raise ConfigError(
            f"{shown_path(run)} has asked nothing: it has no {QUESTIONS}/, which expert=file writes"
        )
    check_inside(questions.folder / ANSWERS, run)  # a link would lead the answers elsewhere
    if shard_path(run / CHECKPOINTS, questions.round).exists():
        raise ConfigError(
            f"nothing is open in {shown_path(run)}: its round {questions.round} has its labels; "
            f"dagger train resume={shown_path(run)} goes on"
        )
    return questions


def _print_answers(questions: Questions, by_name: Mapping[str, Answers]) -> None:
    n = len(questions.states)
    for name, answers in by_name.items():
        print(f"answers   {len(answers.rows):,} of {n:,} by {name}")
    known = combined(questions, by_name).known
    print(f"open      {n - int(known.sum()):,} of {n:,}")
    agree = agreement(questions, by_name)
    if agree is not None:
        share, rows = agree
        print(f"agreement {share:.1%} in {rows:,} pairs of answers to one state")
