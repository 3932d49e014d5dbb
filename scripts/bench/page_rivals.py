"""The sections of docs/benchmarks.md that set dagger-cli beside something else, and Mario's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def reference_lines(figures: Any) -> Iterator[str]:
    loop, reached = figures["loop"], figures["loop_reaches_goal"]
    yield (
        "`scripts/bench/reference_loop.py` is the original script's workload written plainly by us:"
        " 50 rounds of 2000 labels, 5 epochs over all of them a round, one torch thread, our own"
        " fast expert asked one observation at a time. Its seconds are of its rounds, without"
        " imports. Wall seconds of `dagger train` are from the command to the last round's"
        " checkpoint, start-up included, its processor seconds of the whole command, a final table"
        " of one episode included. Nothing here includes the scoring, which is over 100 unseen"
        f" seeds; the expert returns {_scored(figures['expert'])}, 98 % of it is {figures['goal']}."
    )
    yield ""
    yield "| | wall s | CPU s | labels | return | falls of 100 |"
    yield "|---|---|---|---|---|---|"
    yield f"| the loop | {_cost(loop)} |"
    for name, experiment in (("same_budget", "walker_100k"), ("quick", "walker_fast")):
        for seed, run in enumerate(figures[name]):
            yield f"| `experiment={experiment} seed={seed}` | {_cost(run)} |"
    yield ""
    times = figures["times_faster"]
    yield (
        f"Times faster with the same labels: {_list(times['seconds'])} in wall seconds, "
        f"{_list(times['cpu_seconds'])} in processor seconds (aim: 20)."
    )
    if reached["round"] is None:
        yield "The loop never reached 98 % of its expert."
        return
    held = sum(run["return"] >= figures["goal"] for run in figures["quick"])
    yield (
        f"The loop first reached 98 % after round {reached['round']}, {reached['seconds']} s; "
        f"`walker_fast` is {_list(figures['times_faster_to_goal'])} times faster (aims: 4, and 10 s"
        f" in all); it reached 98 % in {held} of {len(figures['quick'])} seeds."
    )


def _cost(run: Any) -> str:
    spent = f"{run['seconds']} | {run['cpu_seconds']} | {run['labels']:,}"
    return f"{spent} | {run['return']} ± {run['std']} | {run['falls']}"


def _scored(result: Any) -> str:
    return f"{result['return']} ± {result['std']} with {result['falls']} falls"


def peers_lines(figures: Any) -> Iterator[str]:
    if "skipped" in figures:
        yield f"Not measured: {figures['skipped']}"
        return
    yield (
        "DAgger of `imitation` 1.0.1 (stable-baselines3 2.2.1, Gymnasium 0.29.1), tuned: 64-64"
        " network, batches of 128, 8 epochs a round, 8 environments, no roll-outs for its log, one"
        " torch thread; `dagger train experiment=walker_100k` beside it. Same expert, the Hub's A2C"
        f" agent ({_scored(figures['expert'])}); returns over the same 100 unseen seeds. Processor"
        " seconds of the whole process, start-up included. `imitation` finishes episodes, so that"
        " it has a few more labels."
    )
    yield ""
    yield "| | seed | labels | rounds | CPU s | return | falls of 100 |"
    yield "|---|---|---|---|---|---|---|"
    for seed, pair in enumerate(figures["many"]):
        for name in ("imitation", "dagger"):
            yield f"| {name} | {seed} | {_peer(pair[name])} |"
    yield ""
    times = [pair["times_less_cpu"] for pair in figures["many"]]
    yield f"Times less processor time: {_list(times)} (aim: 20)."
    yield ""
    yield (
        "With few labels: `imitation` with one environment and an episode a round, `dagger train"
        " env=bipedal beta=linear` with 1000 labels a round (else its defaults, validation"
        " included); each row a run of its own whose expert acts less from round to round."
    )
    yield ""
    yield "![Return against labels](benchmarks_peers.png)"
    yield ""
    yield "| | seed | labels | rounds | CPU s | return | falls of 100 |"
    yield "|---|---|---|---|---|---|---|"
    for pairs in figures["few"].values():
        for name in ("imitation", "dagger"):
            for seed, pair in enumerate(pairs):
                yield f"| {name} | {seed} | {_peer(pair[name])} |"


def _peer(run: Any) -> str:
    spent = f"{run['labels']:,} | {run['rounds']} | {run['cpu_seconds']}"
    return f"{spent} | {run['return']} ± {run['std']} | {run['falls']}"


def handwriting_lines(figures: Any) -> Iterator[str]:
    if "skipped" in figures:
        yield f"Not measured: {figures['skipped']}"
        return
    yield (
        "`scripts/handwriting_vw.py`: Vowpal Wabbit's `search` and `dagger train"
        " experiment=handwriting_paper` on the same folds; start-up and scores included."
    )
    yield ""
    yield from figures["lines"]


def mario_lines(figures: Any) -> Iterator[str]:
    yield "`scripts/bench_mario.py --seconds 1`:"
    yield ""
    yield "```text"
    yield from figures["lines"]
    yield "```"


def _list(values: list[float]) -> str:
    return ", ".join(str(value) for value in values)
