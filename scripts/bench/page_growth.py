"""Lines of docs/benchmarks.md on large runs, from their part of docs/benchmarks.json."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

PHASES = ("collect", "label", "fit", "regret", "validate", "round")


def large_lines(figures: Any) -> Iterator[str]:
    yield (
        "Made by `python scripts/bench/run.py only=growth_large`, once each: these runs take from "
        "minutes to an hour. The images are the last four of 84x84 random grey pixels, as uint8 "
        "(scripts/bench/moving.py), learned by a convolutional network of 10 gradient steps a "
        "round; there the expert acts (`trainer=sup`) and no regret is measured. As arrays: what "
        "observations, steps and labels would take without compact rows. Files: the whole folder "
        "of the run, most of it rows, with what each step led to. Wall seconds were measured on a "
        "machine that did other work as well."
    )
    yield ""
    yield "| run | wall s | CPU s | peak memory, MiB | as arrays, MiB | files, MiB |"
    yield "|---|---|---|---|---|---|"
    for name, run in figures["runs"].items():
        sizes = f"{run['peak_mib']:,} | {run['aggregate_as_arrays_mib']:,} | {run['files_mib']:,}"
        yield f"| {name} | {run['seconds']:,} | {run['cpu_seconds']:,} | {sizes} |"
    yield ""
    yield (
        "A round, early (the second and those after it, a tenth of all) and late (the last tenth): "
        "median processor seconds of each phase. `round` is all of it, with checkpoint and logs."
    )
    yield ""
    yield f"| run | rounds | {' | '.join(PHASES)} |"
    yield f"|---|---|{'---|' * len(PHASES)}"
    for name, run in figures["runs"].items():
        for when in ("early", "late"):
            seconds = " | ".join(f"{run[f'{when}_s'][phase]:.2f}" for phase in PHASES)
            yield f"| {name} | {when} | {seconds} |"
    yield ""
    share, largest = figures["per_million_s"], max(figures["runs"].values(), key=_labels)
    more = (largest["late_s"]["fit"] - largest["early_s"]["fit"]) / (0.9 * _labels(largest) / 1e6)
    yield (
        f"The fit grows with the rows, in the largest run by {more:.2f} s a million: it draws a "
        "permutation of all of them and takes their mean and deviation (`policy.normalize`), in "
        f"a measurement of their own {share['permutation']:.2f} s a million for the permutation, "
        f"{share['statistics of 4']:.2f} for the statistics of CartPole's 4 numbers and "
        f"{share['statistics of 24']:.2f} for those of the walker's 24; and batches come from "
        "memory, no longer from a cache. Permutation and statistics would give other digits if "
        "they were done otherwise. beta is 0.5 in every round of the first two runs; what still "
        "changes in collecting is the length of episodes, and with it how EnvPool's environments "
        "are shared out. In files:"
    )
    yield ""
    yield "| run | rows of round 2, KiB | of the last round | checkpoint | of it checkpoint.json |"
    yield "|---|---|---|---|---|"
    for name, run in figures["runs"].items():
        early, late = run["shard_kib"]
        rest = f"{run['checkpoint_kib']:,} | {run['manifest_kib']:,}"
        yield f"| {name} | {early:,} | {late:,} | {rest} |"
    yield ""
    yield from _rows(figures["rows"])


def _labels(run: Any) -> int:
    return int(run["labels"])


def _rows(rows: Any) -> Iterator[str]:
    yield "### Bytes of a row"
    yield ""
    yield (
        "Observations as arrays and as compact rows (docs/aggregate.md), in memory, and with all "
        "other columns in the files of a round, from the second round of a short run; whole run: "
        "the files of all its rows. In the Atari game the expert does nothing, so some screens "
        "repeat; where all are new, a row takes a quarter. Read: processor time for a row of a "
        "batch of 1,024 random ones, decoded."
    )
    yield ""
    yield (
        "| run | array | compact | in a file before | now | whole run before, MB | now "
        "| read before, us | now |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, one in rows.items():
        array, compact = one["observation_bytes"]
        before, now = one["file_bytes"]
        whole = [f"{size * one['rows'] / 1e6:,.0f}" for size in (before, now)]
        yield (
            f"| `{name}` | {array:,} | {compact:,} | {before:,} | {now:,} | {whole[0]} "
            f"| {whole[1]} | {one['read_us'][0]} | {one['read_us'][1]} |"
        )
