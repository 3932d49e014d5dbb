"""Command lines made from a seed: valid words, and words that are wrong in many ways.

Run as a program, `python -m tests.trust.words SEED COUNT`, it prints every list that fails.
"""

from __future__ import annotations

import os
import random
import re
import signal
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import NamedTuple

from dagger_cli.cli.error_messages import _keys
from dagger_cli.config.options import COMMANDS, GROUPS, options

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
PARENTS = re.compile(r"\.\./|/dev/|^/|~")  # never written to


class Outcome(NamedTuple):
    """How a command ended; `left` are the files in its folder."""

    words: tuple[str, ...]
    code: int
    err: str
    left: tuple[str, ...]

    @property
    def fault(self) -> str | None:
        """What is wrong with it, None if nothing is."""
        lines = [line for line in self.err.splitlines() if line.startswith("dagger: ")]
        if self.code not in (0, 2, 130, 141, 143):
            return f"exit code {self.code}"
        if "Traceback" in self.err:
            return "a traceback"
        if self.code == 2 and (not lines or len(lines) > 1 and "job" not in lines[0]):
            return "not one sentence"
        if any(len(line) > 1500 for line in lines):
            return "a very long sentence"
        return next((f"left {name}" for name in self.left if _half_written(name, self.left)), None)


def _half_written(name: str, left: tuple[str, ...]) -> bool:
    if name.endswith(".tmp") or ".jobs_" in name:
        return True
    run, _, last = name.rpartition("/")
    return last == "versions.json" and f"{run}/checkpoints/last" not in left


def lists(seed: int, count: int) -> list[list[str]]:
    """Returns `count` command lines."""
    rng = random.Random(seed)
    return [_line(rng) for _ in range(count)]


def _line(rng: random.Random) -> list[str]:
    command = rng.choice(COMMANDS) if rng.random() < 0.25 else "train"
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


def outcome(words: list[str], seconds: float = 60) -> Outcome:
    """Runs `dagger <words>` in a forked process, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as err:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Python 3.12, on forks of threads
            child = os.fork()
        if child == 0:
            _child(words, folder, err.fileno())
        code = _wait(child, seconds)
        err.seek(0)
        text = err.read().decode("utf-8", "replace")
        left = sorted(str(p.relative_to(folder)) for p in Path(folder).rglob("*"))
        return Outcome(tuple(words), code, text, tuple(left))


def _wait(child: int, seconds: float) -> int:
    end, code = time.monotonic() + seconds, None
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return code or -signal.SIGALRM


def _child(words: list[str], folder: str, err: int) -> None:
    code = 1
    try:
        os.chdir(folder)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0), os.dup2(null, 1), os.dup2(err, 2)
        # The streams of pytest are those of the parent.
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
        os.environ |= {"HF_HUB_OFFLINE": "1", "SDL_VIDEODRIVER": "dummy", "COLUMNS": "80"}
        sys.argv = ["dagger", *words]
        from dagger_cli.cli.main import main

        main()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Prints every list that fails, and how many were run."""
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    codes: dict[int, int] = {}
    for i, words in enumerate(lists(seed, count)):
        done = outcome(words)
        codes[done.code] = codes.get(done.code, 0) + 1
        if done.fault:
            last = done.err.strip().splitlines()[-1:]
            print(f"{seed}/{i} {done.fault}: {words[:3]} {words[3:]!r}"[:900], *last, sep="\n  ")
    print(f"seed {seed}: {count} lists, exit codes {codes}")


if __name__ == "__main__":
    import dagger_cli.cli.hydra_app
    import dagger_cli.commands.train

    main()
