"""Invalid input: one sentence with the fix, exit code 2, no files left behind."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import sys

import pytest

from dagger_cli.tracking.manifest import read_manifest, write_manifest

from .running import TINY, dagger, differences, train

CARTPOLE = "env=cartpole expert=bundled"
GYM = "env=gym env.id=CartPole-v1 expert=bundled"

TRAIN = {
    # words: what the sentence must say
    "env=bipdal": r"env=bipdal: there is no such option; did you mean 'bipedal'\?",
    "experiment=walkr": r"experiment=walkr: there is no such option; did you mean 'walker'\?",
    "polizy=mlp": r"there is no key 'polizy'; did you mean 'policy'\?",
    "roundz=3": r"there is no key 'roundz'; did you mean 'rounds'\?",
    "policy.size=[3]": r"there is no key 'policy.size'; did you mean 'policy.sizes'\?",
    "beta=exponential beta.over=3": r"there is no key 'beta_schedule.over'",
    "rounds=abc": r"rounds must be a whole number, got 'abc'",
    "policy.sizes=big": r"policy.sizes must be a list of whole numbers, got 'big'",
    "seed=1.5": r"seed must be a whole number, got 1.5",
    "rounds": r"'rounds' is not key=value",
    "beta=0.5": r"beta=0.5: there is no such option; .* use beta=constant beta.value=0.5",
    "policy=null": r"policy=null: leave it out",
    "env=1": r"env=1: there is no such option \(acrobot, ",
    "--resolve": r"--resolve goes with --cfg job",
    "resume=run --cfg job": r"a resumed run keeps its own config",
    "env.kwargs={a:1}": r"env.kwargs.NAME=VALUE",
    "env=mario expert=hub": r"expert.algo refers to env.hub_algo, which the chosen",
    f"{CARTPOLE} trainer.beta=0.5": r"trainer.beta=0.5 is not a schedule: .* beta=constant",
    f"{CARTPOLE} trainer.beta.value=0.5": r"mean 'beta.value'|key 'beta_schedule.value'",
    f"{CARTPOLE} policy.learning_rate=1e30": r"the fit diverged: its loss is nan; try a smaller",
    f"{CARTPOLE} trainer=searn trainer.cost_rollouts.horizon=3": r"runs no cost roll-outs; leave",
    "a=[1": r"'a=\[1' cannot be parsed",
    "env=gym": r"env.id needs a value: give env.id=\.\.\.",
    "expert=python": r"expert.target needs a value",
    "env=mario policy=scene trainer=aggrevate": r"add policy.unsafe_penalty=0",
    "env=cartpole trainer=smile policy.final_fit=3": r"trainer=smile with these settings never",
    "env=cartpole trainer.update=latest policy.final_fit=3": r"or use trainer=dagger trainer",
    "env=mario policy=scene policy.unsafe_penalty=-1": r"must be 0 or more, got -1",
    f"{CARTPOLE} policy.final_fit=0": r"policy.final_fit must be at least 1, got 0",
    "--config-dir nowhere": r"'.*nowhere' not found",
    f"{CARTPOLE} rounds=0": r"rounds must be at least 1, got 0",
    f"{CARTPOLE} rounds=-3": r"rounds must be at least 1, got -3",
    f"{CARTPOLE} steps_per_round=0": r"steps_per_round must be at least 1, got 0",
    f"{CARTPOLE} labels=5 rounds=10": r"labels=5 cannot fill rounds=10",
    f"{CARTPOLE} labels=50 steps_per_round=10": r"labels=50 and steps_per_round=10 both set",
    f"{CARTPOLE} seed=-1": r"seed must be 0 or more, got -1",
    f"{CARTPOLE} n_envs=0": r"n_envs must be at least 1, got 0",
    f"{CARTPOLE} validation.episodes=-1": r"validation.episodes must be 0 or more, got -1",
    f"{CARTPOLE} validation.episodes=1000001": r"more than the 1,000,000 seeds reserved",
    f"{CARTPOLE} policy.sizes=[1000000000000000000]": r"there is not enough memory",
    f"{CARTPOLE} n_envs=100000000000000000000": r"there is not enough memory",
    f"{CARTPOLE} policy.warm_start=false trainer.update=ogd": r"policy=mlp starts from",
    "env=mario policy=sparse_svm trainer=safe_dagger": r"safe and unsafe, which this one does not",
    "env=kart env.observation=rgb": r"env.observation must be one of lab, pixels; got 'rgb'",
    "env=kart env.track=-1": r"env.track must be in \[0, 2147483647\], got -1; try 0",
    "env=kart env.noise=2": r"env.noise must be in \[0, 1\], got 2.0; try 0.05",
    "env=kart env.max_steps=0": r"env.max_steps must be at least 1, got 0; try 2000",
    "env=kart env.failure=none": r"env.failure must be one of fall, unfinished; got 'none'",
    "env=kart env.throttle=maybe": r"env.throttle must be true or false, got 'maybe'",
    "env=kart expert.ahead=1": r"expert.ahead must be in \[2, 16\], got 1.0; try 5",
    "env=kart policy=cnn env.observation=lab": r"policy=cnn needs uint8 images",
    "env=kart policy=svm": r"policy=svm needs discrete actions",
    f"{CARTPOLE} expert=kart_controller": r"steers karts, not 'CartPole-v1'; use env=kart",
    f"{CARTPOLE} policy=ridge": r"policy=ridge needs Box actions, .* use policy=svm or",
    "env=kart policy=ridge policy.regularization=0": r"must be > 0, got 0.0; try 0.001",
    f"{CARTPOLE} validation.tolerance=1": r"validation.tolerance must be in \[0, 1\), got 1",
    f"{CARTPOLE} evaluation.episodes=-1": r"evaluation.episodes must be at least 1, got -1",
    f"{CARTPOLE} evaluation.seed=2000000": r"evaluation seeds are those from 0 to 999999",
    f"{CARTPOLE} evaluation.seed=-1": r"evaluation seeds are those from 0 to 999999",
    f"{CARTPOLE} evaluation.checkpoint=first": r"must be best or last, got 'first'",
    f"{CARTPOLE} trainer=sup beta=linear": r"'beta_schedule=linear' has no effect: trainer 'sup'",
    f"{CARTPOLE} trainer=sup beta.over=5": r"'beta_schedule.over=5' has no effect",
    f"{CARTPOLE} beta.over=0": r"beta_schedule.over must be > 0, got 0.0",
    f"{CARTPOLE} beta.by=time": r"beta_schedule.by must be one of round, labels; got 'time'",
    f"{CARTPOLE} beta=constant beta.value=2": r"beta_schedule.value must be in \[0, 1\], got 2",
    f"{CARTPOLE} beta=table beta.values=[]": r"beta_schedule.values is empty",
    f"{CARTPOLE} policy.loss=mse": r"policy.loss=mse does not fit the discrete actions",
    f"{CARTPOLE} policy.epochs=3": r"policy.epochs and policy.gradient_steps both",
    f"{CARTPOLE} policy.activation=swish": r"policy.activation must be one of relu",
    f"{CARTPOLE} policy.sizes=[0]": r"policy.sizes must be positive whole numbers, got \[0\]",
    f"{CARTPOLE} policy.weight_decay=-1": r"policy.weight_decay must be 0 or more, got -1",
    f"{CARTPOLE} policy.threads=0": r"policy.threads must be in \[1, 1024\], got 0",
    f"{CARTPOLE} policy=cnn": r"policy=cnn needs uint8 images .* use policy=mlp",
    f"{CARTPOLE} +policy.dropout=0.5": r"there is no key 'policy.dropout'",
    f"{CARTPOLE} +validation.foo=3": r"there is no key 'validation.foo'",
    f"{CARTPOLE} +env.budget.round=1": r"did you mean 'env.budget.rounds'",
    f"{CARTPOLE} validation.episodes=0 validation.queries=9": r"'validation.queries' has no effect",
    f"{CARTPOLE} +env.colour=red": r"there is no key 'env.colour'",
    f"{CARTPOLE} env.workers=-1": r"env.workers must be auto, 0 or more, got -1",
    f"{CARTPOLE} env.workers=many": r"env.workers must be a whole number or auto, got 'many'",
    f"{CARTPOLE} env.failure=bad": r"env.failure must be none or crash or ",
    f"{CARTPOLE} env.max_episode_steps=0": r"env.max_episode_steps must be at least 1, .* got 0",
    f"{CARTPOLE} +env.kwargs.nope=1": r"env 'CartPole-v1' cannot be created: .*check env.kwargs",
    f"{GYM} env.id=CartPoel-v1": r"Gymnasium has no env 'CartPoel-v1'; nearest: CartPole-v1",
    f"{GYM} env.import=no_such_module": r"env.import: cannot import 'no_such_module'",
    "env=gym env.id=CliffWalking-v1 expert=bundled": r"no agent is bundled for 'CliffWalking-v1'",
    "env=cartpole expert=heuristic": r"there is no heuristic for 'CartPole-v1'",
    "env=cartpole expert=python expert.target=nodot": r"expert.target must look like my_pkg.my_fn",
    "env=cartpole expert=python expert.target=no.fn": r"cannot import expert.target 'no.fn'",
    "env=cartpole expert=python expert.target=os.getcwd": r"'os.getcwd' must take one observation",
    "env=cartpole expert=path expert.path=gone.zip": r"gone.zip",
    "resume=gone": r"there is no run or checkpoint at gone",
    "resume=folder": r"folder is empty: give a run folder",
    "-m resume=run seed=0,1": r"run is one run: resume it without --multirun",
    "resume=run seed=1": r"'seed' cannot change when a run is resumed",
    "resume=run env.id=Pendulum-v1": r"'env.id=Pendulum-v1' differs from the run's own",
    "resume=run labels=900": r"this run has 100 steps per round: .* raise rounds, not labels",
    "resume=run beta=linear": r"'beta_schedule' cannot change when a run is resumed",
    "resume=run rounds=1": r"run has finished 2 rounds, but rounds=1",
    "resume=copy": r"copy is a copy of one checkpoint and can only be evaluated",
    "resume=newer": r"has format 99, but dagger-cli .* upgrade dagger-cli",
    "resume=cut": r"policy.safetensors is truncated or altered",
    "--experimental-rerun=x": r"is refused; use resume=",
    f"{CARTPOLE} policy=nan": r"policy=nan: an option is chosen by its name",
    f"{CARTPOLE} env=[[1]]": r"env=\[\[1\]\]: an option is chosen by its name",
    f"{CARTPOLE} expert=bool(1)": r"expert=bool\(1\): an option is chosen by its name",
    "experiment=${oc.select:seed}": r"an option is chosen by its name",
    "hydra/hydra_logging=nan": r"hydra/hydra_logging=nan: an option is chosen by its name",
    "~=1": r"'~=1' has no key: write key=value",
    f"{CARTPOLE} policy.device=${{foo:bar}}": r"policy.device: Unsupported interpolation type foo",
    "resume='~nobody_here/x'": r"there is no run or checkpoint at ~nobody_here/x",
    "resume=run hydra.run.dir=other": r"hydra.run.dir has no effect: leave it out, or copy the run",
    "env=gym policy.activation=a=b": r"quote the value twice.*'policy.activation=\"a=b\"'",
    f"{CARTPOLE} best=score": r"best must be one of return, agreement; got 'score'",
    f"{CARTPOLE} best=agreement validation.queries=0": r"best=agreement .* validation.queries of 1",
    f"{CARTPOLE} hydra.run.dir=run": r"run already holds a run: resume it \(resume=run\)",
    f"{CARTPOLE} hydra.run.dir=file/run": r"cannot use '.*file.*': Not a directory",
}
EVAL = {
    "": r"checkpoint needs a value: give checkpoint=\.\.\.",
    "checkpoint=null": r"checkpoint needs a value: give checkpoint=\.\.\.",
    "checkpoint=runs/lr=0.1": r"there is no run or checkpoint at runs/lr=0.1",
    "checkpoint=/nowhere/jürgen": r"there is no run or checkpoint at /nowhere/jürgen",
    "checkpoint=sb3/ppo-CartPole-v1": r"on the Hub, use .* expert.repo_id=sb3/ppo-CartPole-v1",
    "checkpoint=gone": r"there is no run or checkpoint at gone",
    "checkpoint=file": r"file is a file: give the run folder or the checkpoint folder",
    "checkpoint=folder": r"folder is empty",
    "run": r"'run' is not key=value; did you mean checkpoint=run\?",
    "checkpoint=run env.max_episode_steps=9": r"env.max_episode_steps=9 has no effect",
    "checkpoint=run env.id=Pendulum-v1": r"env.id=Pendulum-v1 has no effect .* on CartPole-v1",
    "checkpoint=run env.backend=envpool": r"env.backend=envpool has no effect",
    "-m checkpoint=run,copy json=a/b.json": r"its own, json='a/b_\$\{hydra:job.num\}.json'",
    "checkpoint=run env=pendulum": r"env=pendulum has no effect .* trained on CartPole-v1",
    "checkpoint=run expert=bundled": r"expert=bundled has no effect on a checkpoint",
    "checkpoint=run episodes=0": r"episodes must be at least 1, got 0",
    "checkpoint=run seed=1000000": r"evaluation seeds are those from 0 to 999999",
    "checkpoint=run render=ascii": r"render=ascii is not known; use render=human",
    "checkpoint=run render=human video=a.mp4": r"exclude each other",
    "checkpoint=run video=film.txt episodes=1": r"film.txt",
    "checkpoint=run json=file/where.json episodes=1": r"cannot write to file/where.json",
    "checkpoint=run rounds=3": r"there is no key 'rounds'",
    "checkpoint=cut": r"policy.safetensors is truncated or altered",
    "checkpoint=newer": r"has format 99, but dagger-cli .* only reads up to 1: upgrade",
    "checkpoint=expert env=gym env.id=CliffWalking-v1 expert=bundled": r"no agent is bundled",
}
OTHER = {"tain": r"there is no command 'tain'; did you mean 'train'\?"}
CASES = [
    *((["train", *words.split()], pattern) for words, pattern in TRAIN.items()),
    *((["eval", *words.split()], pattern) for words, pattern in EVAL.items()),
    *((words.split(), pattern) for words, pattern in OTHER.items()),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A good run, damaged copies of it, an empty folder and a file."""
    cwd = tmp_path_factory.mktemp("bad")
    train("rounds=2", cwd=cwd)
    last = cwd / "run" / "checkpoints" / "last"
    shutil.copytree(last, cwd / "copy")
    for name in ("cut", "newer"):
        shutil.copytree(cwd / "run", cwd / name, symlinks=True)
    for policy in (cwd / "cut").rglob("policy.safetensors"):
        policy.write_bytes(policy.read_bytes()[:-7])
    for manifest in (cwd / "newer").rglob("checkpoint.json"):
        content = json.loads(manifest.read_text())
        manifest.write_text(json.dumps({**content, "format_version": 99}))
    (cwd / "folder").mkdir()
    (cwd / "file").write_text("")
    return cwd


def listing(folder):
    return sorted((str(path), path.lstat().st_size) for path in folder.rglob("*"))


@pytest.mark.parametrize(("words", "pattern"), CASES, ids=[" ".join(words) for words, _ in CASES])
def test_one_sentence_and_nothing_left_behind(folder, words, pattern):
    before = listing(folder)
    done = dagger(*words, cwd=folder)
    assert done.code == 2
    (line,) = done.err.splitlines()
    assert line.startswith("dagger: ") and re.search(pattern, line), line
    assert listing(folder) == before


def test_a_folder_that_cannot_be_written_to(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    if os.access(closed, os.W_OK):
        closed = "/proc"  # root may write anywhere else
    done = dagger("train", *TINY, f"hydra.run.dir={closed}/run", cwd=tmp_path)
    assert done.code == 2 and len(done.err.splitlines()) == 1
    assert re.match(r"dagger: cannot (use|write to) ", done.err)


def test_a_full_disk_leaves_the_last_checkpoint_usable(tmp_path, monkeypatch):
    from dagger_cli.tracking import checkpoint_write

    whole = train("rounds=3", "beta=exponential", cwd=tmp_path, run="whole")
    real, calls = checkpoint_write.write_arrays, []

    def full(path, arrays, *more):
        calls.append(path)
        if len(calls) == 9:  # three files a round: the last one of the third round
            raise OSError(28, "No space left on device", str(path))
        return real(path, arrays, *more)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint_write, "write_arrays", full)
        words = (*TINY, "beta=exponential", "hydra.run.dir=run")
        done = dagger("train", *words, cwd=tmp_path)
    assert done.code == 2 and "no space left on device" in done.err.lower()
    assert len(done.err.splitlines()) == 1
    assert dagger("eval", "checkpoint=run", "episodes=1", cwd=tmp_path).code == 0
    assert dagger("train", "resume=run", cwd=tmp_path).code == 0
    assert differences(whole, tmp_path / "run") == []


@pytest.mark.parametrize("way", ["--traceback", "DAGGER_TRACEBACK"])
def test_the_traceback_is_there_for_who_wants_it(tmp_path, way):
    from dagger_cli.core.errors import ConfigError

    words = ["train", *TINY, "rounds=0"] + [way] * way.startswith("-")
    environ = {way: "1"} if way.startswith("D") else {}
    with pytest.raises(ConfigError, match="rounds must be at least 1"):
        dagger(*words, cwd=tmp_path, **environ)


def test_a_bug_of_ours_is_not_dressed_up_as_the_users(tmp_path, monkeypatch):
    from dagger_cli.commands import train as command

    monkeypatch.setattr(command, "versions", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        dagger("train", *TINY, cwd=tmp_path)


CANARY = (
    "import pathlib\npathlib.Path(__file__).with_name('sung').touch()\ndef sing(*a, **k): ...\n"
)
OPENS = {
    "_target_": "dagger_cli.envs.gym.GymSource", "id": "CartPole-v1", "imports": "canary",
    "kwargs": {}, "max_episode_steps": None, "fresh_simulator": False, "workers": 0,
    "failure": "none",
}  # fmt: skip
HOSTILE = {
    "policy._target_": "canary.sing",
    "env._target_": "canary.sing",
    "expert._target_": "canary.sing",
    "trainer._target_": "canary.sing",
    "trainer.beta._target_": "canary.sing",
    "policy.sizes": [{"_target_": "canary.sing"}],
    "env.kwargs": {"x": {"y": [{"_target_": "canary.sing"}]}},
    "env.imports": "canary",
    "env.imports ": ["canary"],
    # What becomes one of ours only when it is worked out.
    "policy.sizes ": "${oc.create:{_target_:canary.sing}}",
    "env.kwargs  ": {"x": ["${oc.create:{_target_:canary.sing}}"]},
    "env.name": "${oc.env:HOME}",
    "env.id": "canary:CartPole-v1",
    "expert": {
        "_target_": "dagger_cli.experts.python.Python",
        "target": "canary.sing",
        "batched": 0,
    },
    # What Hydra would give a class of ours besides its keys.
    "expert  ": {
        "_target_": "dagger_cli.experts.python.Python",
        "_args_": ["canary.sing", False],
    },
    "trainer.beta": {
        "_target_": "dagger_cli.core.schedules.Constant",
        "_partial_": True,
        "value": 0.5,
    },
    # Our own classes in places where they would import what they are told to.
    "trainer": {**OPENS, "name": "x"},
    "policy.activation": OPENS,
    "env.kwargs ": {"x": OPENS},
    "note ": json.loads("[" * 300 + "]" * 300),
    "env.imports  ": 5,
}


def placed(config, key, value):
    *path, last = key.strip().split(".")
    config = node = json.loads(json.dumps(dict(config)))
    for name in path:
        node = node[name]
    node[last] = value
    return config


SLOW = pytest.mark.slow  # the same check once more
COMMANDS = ["train resume=run rounds=3", pytest.param("eval checkpoint=run", marks=SLOW)]


@pytest.mark.parametrize("key", HOSTILE)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_checkpoint_does_not_choose_what_is_imported(folder, tmp_path, monkeypatch, key, command):
    if command.startswith("eval") and key.startswith(("expert", "trainer")):
        pytest.skip("eval builds neither the expert nor the trainer")
    shutil.copytree(folder / "run", tmp_path / "run", symlinks=True)
    (tmp_path / "canary.py").write_text(CANARY)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("best", "last"):
        checkpoint = (tmp_path / "run" / "checkpoints" / name).resolve()
        manifest = read_manifest(checkpoint)
        hostile = placed(manifest.config, key, HOSTILE[key])
        write_manifest(checkpoint, dataclasses.replace(manifest, config=hostile))
    done = dagger(*command.split(), cwd=tmp_path)
    assert not (tmp_path / "sung").exists() and "canary" not in sys.modules
    assert done.code == 2 and len(done.err.splitlines()) == 1
    assert "the checkpoint's config" in done.err


def test_a_policy_that_heeds_wants_an_expert_that_can_warn(tmp_path):
    (tmp_path / "idle.py").write_text("def rest(obs):\n    return [0, 0, 0, 0]\n")
    words = ("env=mario", "policy=scene", "expert=python", "expert.target=idle.rest")
    done = dagger("train", *words, cwd=tmp_path)
    assert done.code == 2 and "Traceback" not in done.err
    assert "policy.unsafe_penalty=150.0 needs an expert that reports unsafe actions" in done.err
    assert os.listdir(tmp_path) == ["idle.py"]
