"""Command lines made from a seed: valid words, and words that are wrong in many ways.

Run as a program, `python -m tests.trust.words SEED COUNT`, it prints every list that fails.
"""

from __future__ import annotations

import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from dagger_cli.cli.error_messages import _keys
from dagger_cli.config.options import COMMANDS, GROUPS, options

from .running import Commands, Outcome

VALID = (
    *("env=cartpole", "expert=bundled", "env.max_episode_steps=20", "policy.sizes=[8]"),
    *("policy.gradient_steps=3", "rounds=2", "steps_per_round=40", "validation.episodes=1"),
    *("validation.queries=3", "evaluation.episodes=1", "n_envs=2", "env.workers=0"),
)
VALUES = (
    *("", "null", "nan", "inf", "-inf", "-1", "0", "1", "1.5", "1e400", "9" * 30, "1" * 5000),
    *("true", "false", "[]", "{}", "[[1]]", "{a:1}", "[1,2", "}", "'x", '"x"', "''", "bool(1)"),
    *("int(a)", "str(1)", "float(x)", "${seed}", "${foo:bar}", "${..seed}", "${env.name}", "${"),
    *("${oc.env:HOME}", "${oc.env:NO_SUCH}", "${oc.select:seed}", "${oc.create:{a:1}}", "${env}"),
    *("$", "\\", "a b", " a", "ü", "😀", "\x01", "\x1b[31m", "\n", "\t", "a\nb", "a=b", "a,b"),
    *("a,,b", ",", "choice(a,b)", "range(1,3)", "range(1,1)", "interval(0,1)", "glob(*)", "a:b"),
    *("shuffle(1,2)", "sort(2,1)", "tag(a,choice(1,2))", "extend_list(1)", "1_0", "0x1", "1:2"),
    *("???", "@", "../x", "/dev/null", "~/x", "~nobody/x", "%s", "{0}", "*", "!x", "&a", "()"),
    *("!!python/name:os.system", "a" * 3000, "[" * 60, "\u202e", "\udcff", "os.getcwd", "'a b'"),
    *("pathlib.Path", "collections.OrderedDict", "builtins.int", "x.zip", "best", "last", "1,2"),
)
ODD_KEYS = (
    *("", ".", "..", "a..b", "seed.", ".seed", "env.", "seed.x", "env.id.x", "policy.sizes.0"),
    *("policy._target_", "env._target_", "expert._target_", "trainer.beta._target_", "_target_"),
    *("policy._args_", "policy._recursive_", "trainer._partial_", "_convert_", "defaults"),
    *("hydra", "hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir", "hydra.job.chdir"),
    *("hydra.verbose", "hydra.mode", "hydra.output_subdir", "hydra.searchpath", "hydra.job.name"),
    *("hydra.help.template", "hydra.job", "hydra.job.env_set.A", "hydra.callbacks", "hydra.nope"),
    *("hydra/launcher", "hydra/sweeper", "hydra/job_logging", "hydra/hydra_logging", "hydra/nope"),
    *("hydra/output", "hydra/help", "hydra/env", "schema", "schema/train", "command", "db@x"),
    *("policy@y", "env@env2", "trainer@trainer.x", "env@_global_", "beta@trainer.beta", "logger@x"),
    *("ü", "a b", "1", "true", "null", "-x", "--x", "-", "--", "lr", "policy.lr", "checkpoint"),
)
FLAGS = (
    *("-m", "--multirun", "--run", "--cfg=job", "--cfg=hydra", "--cfg=all", "--cfg=x", "--help"),
    *("--resolve", "--info=all", "--info=defaults", "--hydra-help", "--package=policy", "--seed"),
    *("--config-name=eval", "--config-name=x", "--config-dir=.", "--config-path=x", "--seed=3"),
    *("--experimental-rerun=x", "--traceback=x", "--", "-c", "-x", "--env"),
)
# A huge value of these is a long run, not an error; `expert=train` takes hours.
LONG = re.compile(
    r"rounds|steps|labels|episodes|queries|epochs|final_fit|passes|horizon|budget|width|members"
)
_LASTING = ("tb", "bench")  # a server, and 275 runs
ENDING = tuple(command for command in COMMANDS if command not in _LASTING)
PARENTS = re.compile(r"\.\./|/dev/|^/|~")  # never written to


def fault(done: Outcome, folder: Path) -> str | None:
    """Returns what is wrong with how a command ended in `folder`; None if nothing is."""
    lines = [line for line in done.err.splitlines() if line.startswith("dagger: ")]
    if done.fault is not None:
        return done.fault
    if done.code == 2 and (len(lines) > 1 and "job" not in lines[0]):
        return f"not one sentence: {done.err[-800:]}"
    if any(len(line) > 1500 for line in lines):
        return f"a very long sentence: {lines[-1][:200]}"
    left = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    return next((f"left {name}" for name in sorted(left) if _half_written(name, left)), None)


def _half_written(name: str, left: Collection[str]) -> bool:
    if name.endswith(".tmp"):
        return True
    run, _, last = name.rpartition("/")
    return last == "versions.json" and f"{run}/checkpoints/last" not in left


def lists(seed: int, count: int) -> list[list[str]]:
    """Returns `count` command lines."""
    rng = random.Random(seed)
    return [_line(rng) for _ in range(count)]


def _line(rng: random.Random) -> list[str]:
    command = rng.choice(ENDING) if rng.random() < 0.25 else "train"
    words = [*VALID] if command == "train" else [w for w in VALID if rng.random() < 0.3]
    if rng.random() < 0.2 and words:
        words.remove(rng.choice(words))
    words += [_word(rng) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    if rng.random() < 0.15:
        rng.shuffle(words)
    return [*command.split(), *words]


def _word(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.08:
        return rng.choice(FLAGS)
    if kind < 0.16:
        return _garbled(rng, rng.choice(VALID))
    if kind < 0.26:
        group = rng.choice((*GROUPS, "beta"))
        known = options().get(group, ["linear"])
        return f"{group}={rng.choice(known)}" if group != "expert" else "expert=path"
    key = rng.choice(ODD_KEYS if kind < 0.5 else (*_keys(), *GROUPS))
    value = rng.choice(VALUES)
    if LONG.search(key) and re.fullmatch(r"[\d.e]{3,}|inf", value):
        value = "3"
    if PARENTS.search(value) and key.startswith(("hydra", "path", "out", "json", "video")):
        value = "x"
    sign = rng.choice(("",) * 8 + ("+", "++", "~", "~~"))
    return f"{sign}{key}" if sign == "~" and rng.random() < 0.5 else f"{sign}{key}={value}"


def _garbled(rng: random.Random, word: str) -> str:
    place = rng.randrange(len(word) + 1)
    return word[:place] + rng.choice(VALUES)[:20] + word[place + rng.randrange(3) :]


def main() -> None:
    """Prints every list that fails, and how many were run."""
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    codes: Counter[int] = Counter()
    with Commands() as commands:
        for i, words in enumerate(lists(seed, count)):
            with tempfile.TemporaryDirectory() as folder:
                done = commands.run(words, Path(folder))
                wrong = fault(done, Path(folder))
            codes[done.code] += 1
            if wrong:
                print(
                    f"{seed}/{i}: {[w for w in words if w not in VALID]!r}"[:700],
                    wrong[-700:],
                    flush=True,
                )
        print(f"seed {seed}: {count} lists, exit codes {dict(codes)}", flush=True)


if __name__ == "__main__":
    main()
