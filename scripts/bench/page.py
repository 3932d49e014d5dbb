"""Writes docs/benchmarks.md from docs/benchmarks.json."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from page_collection import collection_lines, ways_lines
from page_growth import large_lines
from page_quality import quality_lines
from page_ratios import ratio_lines, took_lines
from page_rivals import (
    curves_lines,
    goal_lines,
    handwriting_lines,
    mario_lines,
    mujoco_lines,
    peers_lines,
    reference_lines,
    sequences_lines,
)

HEAD = """# Benchmarks

Made by `make bench` and `make bench-peers` (scripts/bench); the numbers: benchmarks.json.
Every result is a ratio of two measurements that alternate in one run, except where a section says
that one of them may be from an earlier run; seconds are of the machine named beside them.
"best" and "worst" are over the repeats of that run.
"""

RATIOS = (
    "Of each part its ratios, in this run and in the run of that part before it. Sections below say"
    " what is measured. A change for the worse of more than 5 % is marked: measure it again before"
    " believing it, above all where the machine is another one."
)


def page(results: dict[str, Any]) -> str:
    lines = [HEAD, "## All ratios", "", RATIOS, "", *ratio_lines(_ordered(results)), ""]
    lines += [*took_lines(_ordered(results)), ""]
    for name, title in TITLES.items():
        lines += [f"## {title}", ""]
        if name not in results:
            lines += ["Not measured yet.", ""]
            continue
        if name != "quality":  # its runs were made before, on a machine that they do not name
            lines += [_machine(results[name]["machine"]), ""]
        lines += [*SECTIONS[name](results[name]["figures"]), ""]
    return "\n".join(lines)


def _ordered(results: dict[str, Any]) -> dict[str, Any]:
    return {name: results[name] for name in TITLES if name in results}


def _machine(where: dict[str, Any]) -> str:
    return (
        f"{where['date']}, {where['cpu']}, {where['cores']} cores, Python {where['python']}, "
        f"load before it {where['load_before']}."
    )


def _startup(figures: Any) -> Iterator[str]:
    yield "| command | best, s | median | worst |"
    yield "|---|---|---|---|"
    for name, took in figures.items():
        yield f"| `{name}` | {took['best']:.2f} | {took['median']:.2f} | {took['worst']:.2f} |"


def _imports(figures: Any) -> Iterator[str]:
    yield "What `dagger train` imports, by package, with the time of its own modules as measured"
    yield "by `python -X importtime`, which makes imports slower. Networks need torch, which takes"
    yield "most of it; nothing of it is imported before a command needs it."
    yield ""
    yield "| package | modules | ms |"
    yield "|---|---|---|"
    for name, line in figures["packages"].items():
        yield f"| {name} | {line['modules']} | {line['ms']:,} |"
    yield f"| all | {figures['all']['modules']:,} | {figures['all']['ms']:,} |"


def _fit(figures: Any) -> Iterator[str]:
    yield "A gradient step of the learner (batch, loss, gradients, Adam) over its matrix products"
    yield "alone, torch on one thread. The first line is the walker's default. Target: 2."
    yield ""
    yield "| layers | batch | step, us | products, us | ratio, median |"
    yield "|---|---|---|---|---|"
    for line in figures["steps"]:
        times = f"{line['step_us']:,} | {line['products_us']:,} | {line['ratio_median']:.2f}"
        yield f"| {line['sizes']} | {line['batch']} | {times} |"
    yield ""
    yield "With few units and rows the calls are the floor: a step makes 8 products and 14 other"
    yield "calls of torch (2 activations and their gradients, 4 of the loss, 3 sums, Adam with its"
    yield "counters, and the sum of the losses)."
    yield ""
    members = figures["members"]
    yield (
        f"The {members['members']} members of an ensemble (layers {members['sizes']}, batch "
        f"{members['batch']}), fitted at once, take {members['ratio_median']:.2f} of the time of "
        "fits one after the other."
    )


def _growth(figures: Any) -> Iterator[str]:
    seconds, peaks = figures["seconds"], figures["peak_mib"]
    yield "`dagger train env=bipedal n_envs=32 expert=bundled`: 10 and 40 rounds of 10,000 labels,"
    yield "with start-up, one validation episode a round and a final table of one episode."
    yield ""
    yield "| labels | best, s | median | worst | peak memory, MiB |"
    yield "|---|---|---|---|---|"
    for labels, took in seconds.items():
        spread = " | ".join(f"{took[key]:.1f}" for key in ("best", "median", "worst"))
        yield f"| {int(labels):,} | {spread} | {peaks[labels]} |"
    yield ""
    yield (
        f"Ratio of the medians: {figures['seconds_ratio']} (target: at most 4.4). Each further "
        f"byte of aggregate took {figures['memory_per_byte_of_aggregate']} bytes "
        "(target: at most 1.3)."
    )


def _storage(figures: Any) -> Iterator[str]:
    yield (
        "`dagger train` with 200,000 labels in 10 rounds, 300 gradient steps each, in an"
        " environment that returns 1024 random numbers (scripts/bench/wide.py): an aggregate of"
        f" {figures['aggregate_mib']} MiB. In the last row the whole process, including cached"
        f" pages of files, is limited to {figures['room_mib']} MiB by a control group; all"
        " else is the same. Whole commands, the three in turn. Where wall and processor seconds"
        " differ much, the machine did other work meanwhile, which can hide waiting for the disk."
    )
    yield ""
    yield "| aggregate | wall s | CPU s | wall over memory: best, median, worst |"
    yield "|---|---|---|---|"
    for name, seconds in figures["seconds"].items():
        over = figures["over_memory"].get(name)
        ratios = "" if over is None else ", ".join(f"{x:.2f}" for x in over)
        if None in seconds:
            yield f"| {name} | not measured: no control group here | | |"
            continue
        cpu = _listed(figures["cpu_seconds"][name])
        yield f"| {name} | {_listed(seconds)} | {cpu} | {ratios} |"
    yield ""
    yield "Target: at most 1.25."


def _listed(values: list[float]) -> str:
    return ", ".join(str(value) for value in values)


def _profile(figures: Any) -> Iterator[str]:
    mean, falls = figures["student"]
    yield f"`dagger train env=bipedal beta=linear`; student {mean}, {falls} falls of 100."
    yield ""
    yield "| part | seconds |"
    yield "|---|---|"
    for name, value in figures["parts"].items():
        yield f"| {name} | {value} |"
    yield f"| all | {figures['seconds']} |"
    yield ""
    yield (
        f"With `evaluation.fresh=true`, where the expert plays its episodes, too: "
        f"{figures['fresh_seconds']} s. Peak memory: {figures['peak_mib']} MiB."
    )
    yield ""
    yield (
        "Collecting is not run in parallel with the fit of the round before: that could save only "
        f"the {figures['parts']['collect']} s of collecting, and the acting policy would be a "
        "round older."
    )
    limit = figures["limit"]
    yield ""
    yield "### Lower bound"
    yield ""
    yield (
        "The same steps and products at the bare rates measured in this run: EnvPool's own `step` "
        f"with 8 environments ({limit['envpool_steps_per_second']:,} per second), Gymnasium's on "
        f"all cores ({limit['gymnasium_steps_per_second']:,}), and only the networks' matrix "
        "products, one after the other as DAgger requires; no start-up."
    )
    yield ""
    yield "| part | seconds |"
    yield "|---|---|"
    for name, value in limit["seconds"].items():
        yield f"| {name} | {value} |"
    yield f"| all | {limit['all']} |"
    yield ""
    yield f"With `evaluation.fresh=true` the expert's episodes add {limit['expert']} s."


TITLES = {
    "startup": "Start-up",
    "imports": "Imports",
    "collection": "Collection",
    "ways": "Other ways to collect, tried",
    "fit": "Fitting",
    "growth": "Growth",
    "growth_large": "Growth of large runs",
    "storage": "Aggregate on disk",
    "reference": "Comparison with the original script's workload",
    "goal": "Time to 98 % of the expert's return",
    "quality": "Labels and seconds to 95 and 98 % of the expert",
    "profile": "Time profile of the default run",
    "peers": "Comparison with the library imitation",
    "curves": "Comparison with the library imitation at few labels",
    "peers_mujoco": "Comparison with the library imitation on HalfCheetah and Hopper",
    "handwriting": "Handwriting: comparison with Vowpal Wabbit",
    "sequences": "Words of the CMU dictionary: comparison with Vowpal Wabbit",
    "mario": "Mario's simulator and planner",
}
SECTIONS: dict[str, Callable[[Any], Iterator[str]]] = {
    "startup": _startup,
    "imports": _imports,
    "collection": collection_lines,
    "ways": ways_lines,
    "fit": _fit,
    "growth": _growth,
    "growth_large": large_lines,
    "storage": _storage,
    "reference": reference_lines,
    "goal": goal_lines,
    "quality": quality_lines,
    "profile": _profile,
    "peers": peers_lines,
    "curves": curves_lines,
    "peers_mujoco": mujoco_lines,
    "handwriting": handwriting_lines,
    "sequences": sequences_lines,
    "mario": mario_lines,
}
