"""Sections of docs/benchmarks.md that compare dagger-cli with other programs, and on Mario."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

NAMES = ("imitation", "imitation, one thread", "dagger")


def reference_lines(figures: Any) -> Iterator[str]:
    yield (
        "`scripts/bench/reference_loop.py` is a plain implementation of the original script's"
        " workload: 50 rounds of 2000 labels, network 24-128-64-4, 5 epochs over all labels per"
        " round, one torch thread, our own expert called with one observation at a time. `dagger"
        " train experiment=walker_100k` has the same labels and network, and 50 gradient steps per"
        " round. Its wall seconds are from the command to the last round's checkpoint, its"
        " processor seconds of the whole command, start-up included; the loop's are without its"
        " imports. Evaluation, over 100 unseen seeds, is included in neither, and existing loops of"
        " earlier runs are not repeated."
        f" The expert returns {_scored(figures['expert'])}."
    )
    yield ""
    loops = [(f"the loop, seed {seed}", loop) for seed, loop in enumerate(figures["loop"])]
    yield from _table(loops, "walker_100k", figures["same_budget"])
    yield ""
    theirs, ours = (figures["returns"][side] for side in ("loop", "same_budget"))
    yield (
        f"Mean return over {len(figures['same_budget'])} training seeds, with its standard error:"
        f" the loop {theirs['mean']} ± {theirs['error']}, `walker_100k` {ours['mean']} ±"
        f" {ours['error']} (target: no lower)."
    )
    times = figures["times_faster"]
    yield (
        f"Times faster: {_list(times['seconds'])} in wall seconds, "
        f"{_list(times['cpu_seconds'])} in processor seconds (target: 20); both relative to the"
        " mean of the loop's processor seconds, the time of its one thread on an idle machine."
    )


def goal_lines(figures: Any) -> Iterator[str]:
    loop, quick = figures["loop"], figures["quick"]
    held = sum(run["return"] >= figures["goal"] for run in quick)
    yield (
        f"The expert returns {_scored(figures['expert'])} over the 100 unseen seeds; 98 % of it is"
        f" {figures['goal']}. Start-up is included in both, evaluation in neither: the loop's"
        " policies are evaluated afterwards, and its time is that of the first that reaches it."
    )
    yield ""
    yield from _table([], "walker_fast", quick)
    yield ""
    yield f"`walker_fast` reached 98 % in {held} of {len(quick)} seeds (target: within 10 s)."
    if loop["round"] is None:
        yield f"The loop did not reach it in {loop['rounds']} rounds."
        return
    yield (
        f"The loop first reached it after round {loop['round']}, {loop['seconds']} s after its "
        f"command: {_list(figures['times_faster'])} times as long (target: 4)."
    )


def _table(first: list[tuple[str, Any]], experiment: str, runs: list[Any]) -> Iterator[str]:
    yield "| | wall s | CPU s | labels | return | falls of 100 |"
    yield "|---|---|---|---|---|---|"
    ours = [(f"`experiment={experiment} seed={seed}`", run) for seed, run in enumerate(runs)]
    for name, run in (*first, *ours):
        yield f"| {name} | {_cost(run)} |"


def _cost(run: Any) -> str:
    spent = f"{run['seconds']} | {run['cpu_seconds']} | {run['labels']:,}"
    return f"{spent} | {_reached(run)}"


def _scored(result: Any) -> str:
    return f"{result['return']} ± {result['std']} with {result['falls']} falls"


def peers_lines(figures: Any) -> Iterator[str]:
    if "skipped" in figures:
        yield f"Not measured: {figures['skipped']}"
        return
    yield (
        "DAgger of `imitation` 1.0.1 (stable-baselines3 2.2.1, Gymnasium 0.29.1, torch 2.13.0),"
        " tuned: 64-64 network, batches of 128, 8 epochs per round, 8 environments, no roll-outs"
        " for its log; once with torch's default number of threads, once with one, where it takes"
        " the least processor time. Compared with `dagger train experiment=walker_100k`. Same"
        f" expert, the Hub's A2C agent ({_scored(figures['expert'])}); returns over the same"
        " 100 unseen seeds. Processor seconds of the whole process, start-up and a final table of"
        " one episode included; those of `dagger` are the mean of runs before, between and after,"
        " all with the same results. `imitation` completes episodes, so it has a few more labels."
    )
    yield ""
    yield from _pairs([figures["many"]])
    yield ""
    times = [pair["times_less_cpu"] for pair in figures["many"]]
    by_name = {name: [time[name] for time in times if name in time] for name in times[0]}
    against = (f"{_list(values)} than {name}" for name, values in by_name.items())
    yield f"Times less processor time: {'; '.join(against)} (target: 20)."


def curves_lines(figures: Any) -> Iterator[str]:
    if "skipped" in figures:
        yield f"Not measured: {figures['skipped']}"
        return
    yield (
        "`imitation`, tuned as above, with one torch thread, one environment and one episode per"
        " round; `dagger train env=bipedal beta=linear` with 1000 labels per round, otherwise its"
        " defaults, validation included, and a final table of one episode. Each row is a separate"
        " run whose expert acts less from round to round. The expert itself returns"
        f" {_scored(figures['expert'])}."
    )
    yield ""
    yield "![Return against labels](benchmarks_peers.png)"
    yield ""
    yield from _pairs(figures["few"].values())


def _pairs(groups: Iterable[list[Any]]) -> Iterator[str]:
    """Yields pairs of runs of both libraries with the same seed, group by group."""
    yield "| | seed | labels | rounds | CPU s | return | falls of 100 |"
    yield "|---|---|---|---|---|---|---|"
    for pairs in groups:
        for name in (name for name in NAMES if name in pairs[0]):
            for seed, run in enumerate(pair[name] for pair in pairs if name in pair):
                spent = f"{run['labels']:,} | {run['rounds']} | {run['cpu_seconds']}"
                yield f"| {name} | {seed} | {spent} | {_reached(run)} |"


def _reached(run: Any) -> str:
    return f"{run['return']} ± {run['std']} | {run['falls']}"


def mujoco_lines(figures: Any) -> Iterator[str]:
    if "skipped" in figures:
        yield f"Not measured: {figures['skipped']}"
        return
    yield (
        "Behaviour cloning and DAgger of both programs (scripts/bench/peers_mujoco.py), 20,000"
        " labels each, networks of 256-256 units, about 10,000 gradient steps of 128 rows in all,"
        " one torch thread, no validation; both mix expert and student by the same schedule: 0.5 to"
        " the power of the round on HalfCheetah, linear over ten rounds on Hopper. Version 4 of the"
        " environments with MuJoCo 3.6, Gymnasium 0.29.1's in `imitation` 1.0.1, EnvPool's in"
        " `dagger`; rl-zoo's agents of version 3 as experts (the same observations). Returns over"
        " the same 100 unseen seeds in EnvPool. Processor seconds of the whole process, start-up"
        " included; those of `dagger` with a final table of one episode. `imitation` completes"
        " episodes, so it can have more labels. It has no standardization of observations, which"
        ' `dagger` has: "standardized" gives its student a first layer for it, from the'
        " demonstrations, or from 2,000 steps of the expert before the first round of DAgger."
    )
    for task, found in figures.items():
        expert = found["expert"]
        yield ""
        yield f"**{task}**: the expert returns {_scored(expert)}."
        yield ""
        yield "| | seed | labels | rounds | CPU s | return | share of the expert | falls of 100 |"
        yield "|---|---|---|---|---|---|---|---|"
        pairs = list(enumerate(found["pairs"]))
        for name in dict.fromkeys(name for _, pair in pairs for name in pair):
            for seed, run in [(seed, pair[name]) for seed, pair in pairs if name in pair]:
                spent = f"{run['labels']:,} | {run['rounds']} | {run['cpu_seconds']}"
                share = f"{run['return'] / expert['return']:.3f}"
                score = f"{run['return']:,} ± {run['std']} | {share} | {run['falls']}"
                yield f"| `{name}` | {seed} | {spent} | {score} |"


def handwriting_lines(figures: Any) -> Iterator[str]:
    if "skipped" in figures:
        yield f"Not measured: {figures['skipped']}"
        return
    yield (
        "`scripts/handwriting_vw.py`: Vowpal Wabbit's `search` and `dagger train"
        ' experiment=handwriting_paper` on the same folds; start-up and scores included. "All pairs'
        ' of features": `-q ::` there, `experiment=handwriting_pairs` here.'
    )
    yield ""
    yield from figures["lines"]


def sequences_lines(figures: Any) -> Iterator[str]:
    if "skipped" in figures:
        yield f"Not measured: {figures['skipped']}"
        return
    yield (
        "`scripts/sequences_vw.py`: 4,000 words of the CMU Pronouncing Dictionary, a tenth of them"
        " for the test. `stress`: the stress of each sound is to be found (4 classes); `phonemes`:"
        " the sound of each letter, in words with as many sounds as letters (39 classes). Both"
        " programs get a symbol, two to each side and the last prediction; start-up and scores"
        " included. Ours is `policy=svm policy.reduction=one_vs_rest`."
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
