"""`dagger expert ...`: lists, describes, evaluates and converts experts."""

from __future__ import annotations

import re
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.random import Generator

from dagger_cli.commands import eval as evaluate
from dagger_cli.config.build import EvalJob
from dagger_cli.core.errors import ConfigError, ExpertError
from dagger_cli.core.types import Acts, Card, Expert, Observation, Score
from dagger_cli.experts.catalogue import Catalogue, Known, catalogue
from dagger_cli.tracking.console import Console
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.terminal import printable

FAR = 0.05  # relative distance below the published mean that leads to a warning
OFTEN = 0.05  # fraction of failed episodes that leads to a warning
_SHOWN_ELSEWHERE = ("network", "score", "sha256", "source", "name", "format", "version", "versions")


def list_known(env_id: str, env_words: str, own: str | None) -> None:
    """Prints one row per known agent: bundled, trained here, cached, on the Hub.

    `env_words` are the overrides that select the environment; `own` is the expert that its config
    sets, if any. Raises ExpertError where no agent is known.
    """
    if own is None:
        known = catalogue(env_id)
    else:
        known = Catalogue((Known(own, "part of the env", f"expert={own}", None),), ())
    console = Console()
    console.start([("env", env_id)], known.notes)
    if not known.agents:
        raise ExpertError(
            f"no agent is known for '{env_id}'; use expert=path or expert=python, or train one "
            "with expert=train"
        )
    _table(known.agents)
    first = known.agents[0].words
    pairs = [("score", f"dagger expert score {env_words} {first}")]
    console.start([*pairs, ("train", f"dagger train {env_words} {first}")])


def _table(agents: Sequence[Known]) -> None:
    """Prints the table without wrapping or truncation, so that commands can be copied."""
    rows = [("agent", "where", "published", "choose it with")]
    rows += [(a.name, a.where, _spread(a.score), a.words) for a in agents]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (c.ljust(w) for c, w in zip(row, widths, strict=True))
        print(printable("  ".join(cells).rstrip()))
    print()


def _spread(score: tuple[float, float] | None) -> str:
    plain = not (sys.stdout.encoding or "").lower().startswith("utf")
    plus_minus = "+-" if plain else "±"
    return "unknown" if score is None else f"{score[0]:,.1f} {plus_minus} {score[1]:,.1f}"


def show(expert: Expert, env_id: str) -> None:
    """Prints the expert's card and network."""
    card = expert.card
    pairs = [("expert", card.name), ("source", card.source), ("sha256", card.sha256)]
    pairs += [("env", env_id), ("published", _spread(card.published))]
    if hasattr(expert, "shape"):
        pairs.append(("network", expert.shape()))
    pairs += list(_details(card.details))
    Console().start(pairs, card.notes)


def _details(details: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in details.items():
        if key not in _SHOWN_ELSEWHERE and not isinstance(value, (Mapping, list)):
            yield key.replace("_", " "), str(value)


@dataclass
class Timed:
    """Expert that measures the CPU seconds of its actions, summed over all cores."""

    expert: Expert
    seconds: float = 0.0

    @property
    def card(self) -> Card:
        """Card of the expert."""
        return self.expert.card

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Returns the expert's actions."""
        begin = time.process_time()
        acts = self.expert.act(observation, rng)
        self.seconds += time.process_time() - begin
        return acts


def score(job: EvalJob, json: str | None) -> Score:
    """Evaluates the expert; prints its score, published score, time per label and warnings."""
    assert job.expert is not None
    timed = Timed(job.expert)
    job = replace(job, expert=timed)
    card = timed.card

    def more(result: Score) -> list[tuple[str, str]]:
        label = f"{1000 * timed.seconds / result.lengths.sum():.3g} ms of one core"
        return [("published", _spread(card.published)), ("a label", label)]

    result = evaluate.score(job, None, render=None, video=None, json=json, more=more)
    for warning in warnings(result, card, job):
        print(f"warning: {warning}")
    return result


def warnings(score: Score, card: Card, job: EvalJob) -> Iterator[str]:
    """Yields warnings where the score is far below the published one or failures are frequent."""
    if card.published is not None:
        mean, std = card.published
        below = mean - score.mean
        if below > std + 2 * score.stderr and below > FAR * abs(mean):
            yield (
                f"the score is far below the published {_spread(card.published)}; "
                "check the environment (env.id, env.kwargs) and its version"
            )
    episodes, name = len(score.returns), job.env.failure_name or "failures"
    if score.failures > OFTEN * episodes:
        yield (
            f"{score.failures} {name} in {episodes} episodes, which a learner would imitate; "
            f"choose a better expert: dagger expert list env={job.env.name}"
        )


def save(expert: Expert, env_id: str, out: str | None) -> None:
    """Writes the expert as `<out>/<env id>.safetensors` and `.json`; prints how to use it.

    Raises ConfigError where the expert is not a network.
    """
    card = expert.card
    if not hasattr(expert, "save"):
        raise ConfigError(
            f"'{card.name}' is not a network, so there is nothing to convert; "
            "use it directly, or choose expert=hub, path, zoo, train or bundled"
        )
    folder = Path(out) if out else Path("experts") / _folder_name(card)
    with writing(folder):
        paths = expert.save(folder / re.sub(r"[^\w.-]", "-", env_id))
    pairs = [("expert", card.name), ("source", card.source), ("published", _spread(card.published))]
    pairs += [("written", str(path)) for path in paths]
    pairs.append(("use it", f"expert=path {shlex.quote(f'expert.path={folder}')}"))
    Console().start(pairs, card.notes)


def _folder_name(card: Card) -> str:
    repo_id = str(card.details.get("repo_id", card.name))
    return re.sub(r"[^\w.-]", "-", repo_id.rpartition("/")[2])
