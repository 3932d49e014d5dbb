"""docs/benchmarks.md from docs/benchmarks.json."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from page_rivals import (
    curves_lines,
    goal_lines,
    handwriting_lines,
    mario_lines,
    peers_lines,
    reference_lines,
)

HEAD = """# Benchmarks

Made by `make bench` and `make bench-peers` (scripts/bench); the numbers: benchmarks.json.
Every claim is a ratio of two things measured in turn in one run, but where a section says that one
of them may be from a run before; seconds are of the machine named beside them.
"best" and "worst" are over the repeats of that run.
"""


def page(results: dict[str, Any]) -> str:
    lines = [HEAD]
    for name, title in TITLES.items():
        if name not in results:
            lines += [f"## {title}", "", "Not measured yet.", ""]
            continue
        where = results[name]["machine"]
        lines += [f"## {title}", ""]
        lines += [
            f"{where['date']}, {where['cpu']}, {where['cores']} cores, Python {where['python']}, "
            f"load before it {where['load_before']}.",
            "",
        ]
        lines += [*SECTIONS[name](results[name]["figures"]), ""]
    return "\n".join(lines)


def _startup(figures: Any) -> Iterator[str]:
    yield "| command | best, s | median | worst |"
    yield "|---|---|---|---|"
    for name, took in figures.items():
        yield f"| `{name}` | {took['best']:.2f} | {took['median']:.2f} | {took['worst']:.2f} |"


def _collection(figures: Any) -> Iterator[str]:
    yield "Env steps a second of a DAgger round (expert and student act, the expert labels), over"
    yield "the same actions played by the bare backend with as many environments. Aim: 0.8."
    yield ""
    yield "| backend | ours | bare | ratio, median | range |"
    yield "|---|---|---|---|---|"
    for name, line in figures.items():
        ours, bare = (f"{max(line[key]):,}" for key in ("ours_per_second", "bare_per_second"))
        low, high = line["ratio_range"]
        yield f"| {name} | {ours} | {bare} | {line['ratio_median']:.2f} | {low:.2f} to {high:.2f} |"


def _fit(figures: Any) -> Iterator[str]:
    yield (
        f"A gradient step of the walker's default (layers {figures['sizes']}, batch "
        f"{figures['batch']}) takes {figures['step_us']} us, its matrix products alone "
        f"{figures['products_us']} us: {figures['ratio_median']} times as much (median)."
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
        f"Ratio of the medians: {figures['seconds_ratio']} (aim: at most 4.4). Every further byte "
        f"of aggregate took {figures['memory_per_byte_of_aggregate']} bytes (aim: at most 1.3)."
    )


def _storage(figures: Any) -> Iterator[str]:
    yield (
        "`dagger train` of 200,000 labels in 10 rounds, 300 gradient steps each, in an environment"
        " of nothing but 1024 numbers drawn at random (scripts/bench/wide.py): an aggregate of"
        f" {figures['aggregate_mib']} MiB. In the last row the whole process, pages of files"
        f" included, has {figures['room_mib']} MiB, in a control group of its own; all else is the"
        " same. Whole commands, the three in turn. Where wall and processor seconds are far apart,"
        " the machine did other work meanwhile, which can hide waiting for the disk."
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
    yield "Aim: at most 1.25."


def _listed(values: list[float]) -> str:
    return ", ".join(str(value) for value in values)


def _profile(figures: Any) -> Iterator[str]:
    mean, falls = figures["student"]
    yield f"`dagger train env=bipedal beta=linear`; student {mean}, {falls} falls of 100."
    yield ""
    yield "| part | seconds |"
    yield "|---|---|"
    for name, value in figures.items():
        if name not in ("seconds", "student", "peak_mib", "limit"):
            yield f"| {name} | {value} |"
    yield f"| all | {figures['seconds']} |"
    yield ""
    yield f"Peak memory: {figures['peak_mib']} MiB."
    yield ""
    yield (
        "The rounds are not collected while the last is fitted: all that could hide is the "
        f"{figures['collect']} s of collecting, and the policy that acts would be a round older."
    )
    if "limit" not in figures:
        return
    limit = figures["limit"]
    yield ""
    yield "### What the physical limit would be"
    yield ""
    yield (
        "The same steps and products at the bare rates measured in this run: EnvPool's own `step` "
        f"with 8 environments ({limit['envpool_steps_per_second']:,} a second), Gymnasium's on all "
        f"cores ({limit['gymnasium_steps_per_second']:,}), and nothing but the networks' matrix "
        "products, one after the other as DAgger has it; no start-up."
    )
    yield ""
    yield "| part | seconds |"
    yield "|---|---|"
    for name, value in limit["seconds"].items():
        yield f"| {name} | {value} |"
    yield f"| all | {limit['all']} |"


TITLES = {
    "startup": "Start-up",
    "collection": "Collection",
    "fit": "Fitting",
    "growth": "Growth",
    "storage": "An aggregate on disk",
    "reference": "Against the original script's workload",
    "goal": "From the command to 98 % of the expert",
    "profile": "Where the default run's seconds go",
    "peers": "Against the library imitation",
    "curves": "With few labels, beside the library imitation",
    "handwriting": "Handwriting, beside Vowpal Wabbit",
    "mario": "Mario's simulator and planner",
}
SECTIONS: dict[str, Callable[[Any], Iterator[str]]] = {
    "startup": _startup,
    "collection": _collection,
    "fit": _fit,
    "growth": _growth,
    "storage": _storage,
    "reference": reference_lines,
    "goal": goal_lines,
    "profile": _profile,
    "peers": peers_lines,
    "curves": curves_lines,
    "handwriting": handwriting_lines,
    "mario": mario_lines,
}
