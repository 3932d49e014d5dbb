"""The fused kernels called directly are torch.optim's, bit for bit, and load no compiler."""

import subprocess
import sys

import pytest
import torch

from dagger_cli.core.errors import ConfigError
from dagger_cli.policies.optimizers import OPTIMIZERS

THEIRS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
STEPS = 50


def parameters():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator) for shape in ((7, 5), (7,), (1, 7))]


def gradients(step):
    generator = torch.Generator().manual_seed(100 + step)
    return [torch.randn(p.shape, generator=generator) for p in parameters()]


@pytest.mark.parametrize("name", THEIRS)
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_fifty_steps_are_torchs(name, weight_decay):
    mine, theirs = parameters(), [p.requires_grad_() for p in parameters()]
    torchs = THEIRS[name](theirs, lr=1e-3, weight_decay=weight_decay, fused=True)
    ours = OPTIMIZERS[name](mine, (), weight_decay)
    for step in range(STEPS):
        if step == 20:  # goes on from what a checkpoint holds
            ours = OPTIMIZERS[name](mine, ours.past(), weight_decay)
        rate = 1e-3 * (1 - step / STEPS)
        torchs.param_groups[0]["lr"] = rate
        for parameter, gradient in zip(theirs, gradients(step), strict=True):
            parameter.grad = gradient
        torchs.step()
        ours.step(gradients(step), rate)
    assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))
    for parameter, entry in zip(theirs, ours.past(), strict=True):
        state = {k: v for k, v in torchs.state[parameter].items() if v is not None}
        assert entry.keys() == state.keys()
        assert all(torch.equal(entry[key], state[key]) for key in entry)


def test_the_past_handed_out_is_not_changed_by_who_goes_on_from_it():
    mine = parameters()
    first = OPTIMIZERS["adam"](mine, (), 0.0)
    first.step(gradients(0), 1e-3)
    kept = [{name: t.clone() for name, t in entry.items()} for entry in first.past()]
    OPTIMIZERS["adam"](mine, first.past(), 0.0).step(gradients(1), 1e-3)
    for entry, before in zip(first.past(), kept, strict=True):
        assert all(torch.equal(entry[name], before[name]) for name in before)


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_a_saved_past_serves_parameters_of_another_layout(name):
    """Files hold arrays in C order; a user's network may keep channels last."""
    generator = torch.Generator().manual_seed(0)
    plain = torch.randn(5, 3, 4, 4, generator=generator)
    other = plain.contiguous(memory_format=torch.channels_last)
    gradient = torch.randn(plain.shape, generator=generator)
    first = OPTIMIZERS[name]([plain], (), 0.0)
    first.step([gradient], 1e-3)
    other.copy_(plain)
    second = OPTIMIZERS[name]([other], first.past(), 0.0)
    first.step([gradient / 2], 1e-3)
    second.step([(gradient / 2).contiguous(memory_format=torch.channels_last)], 1e-3)
    torch.testing.assert_close(other, plain)


@pytest.mark.slow
def test_a_fit_does_not_load_torchs_compiler(tmp_path):
    """It takes 2 s, which would be a tenth of the default run."""
    script = (
        "import sys\n"
        "from dagger_cli.cli.main import main\n"
        "main()\n"
        "loaded = [m for m in sys.modules if m.startswith('torch._dynamo')]\n"
        "assert 'torch.nn' in sys.modules and not loaded, loaded[:3]\n"
    )
    words = ["train", "env=cartpole", "expert=bundled", "rounds=1", "steps_per_round=50"]
    words += ["policy.gradient_steps=5", "evaluation.episodes=1", "validation.episodes=1"]
    words += [f"hydra.run.dir={tmp_path / 'run'}"]
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_torch_without_the_kernel_is_named_in_one_sentence(name, monkeypatch):
    monkeypatch.delattr(torch, f"_fused_{name}_")
    with pytest.raises(ConfigError, match=f"torch .* has no _fused_{name}_"):
        OPTIMIZERS[name]([torch.zeros(2)], (), 0.0)
