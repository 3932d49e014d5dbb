"""Action heads: actions from outputs, and losses computed by hand."""

import numpy as np
import pytest
import torch

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Space
from dagger_cli.policies.heads import make_head

INF = float("inf")


def box(low, high, dtype="float32"):
    return Space("box", (len(low),), dtype, tuple(low), tuple(high))


def test_box_outputs_land_on_the_bounds_whatever_their_middle_is():
    head = make_head(box([-1.0, 10.0], [3.0, 11.0]), "auto")
    outputs = torch.tensor([[0.0, 0.0], [99.0, 99.0], [-99.0, -99.0], [0.5493061443, 0.0]])
    wanted = [[1.0, 10.5], [3.0, 11.0], [-1.0, 10.0], [2.0, 10.5]]  # tanh(0.5493...) = 1/2
    actions = head.actions(outputs.numpy())
    np.testing.assert_allclose(actions, wanted, rtol=1e-6)
    assert actions.dtype == np.float32 and (actions[1] == [3, 11]).all()


def test_a_box_never_leaves_its_bounds_by_rounding():
    low, high = np.float32([-0.1, 0.7]), np.float32([0.3, 0.9])
    head = make_head(box(low.tolist(), high.tolist()), "mse")
    actions = head.actions(np.linspace(-30, 30, 999)[:, None].repeat(2, axis=1))
    assert (actions >= low).all() and (actions <= high).all()


def test_components_without_both_bounds_stay_linear_and_are_cut_off_at_the_one_they_have():
    head = make_head(box([-INF, 0.0, -2.0], [INF, INF, 2.0]), "mse")
    actions = head.actions(np.array([[7.0, 5.0, 0.0], [-7.0, -5.0, 99.0]]))
    assert actions.tolist() == [[7, 5, 0], [-7, 0, 2]]


def test_whole_numbers_are_rounded_and_a_range_of_one_value_is_that_value():
    head = make_head(box([0.0, 4.0], [10.0, 4.0], "int64"), "mse")
    outputs = np.arctanh(np.array([[0.58, 0.0], [-0.42, 0.9]]))  # 7.9 and 2.9 of 0 to 10
    assert head.actions(outputs).tolist() == [[8, 4], [3, 4]]
    targets = head.targets(np.array([[10, 4], [0, 4]]))
    assert targets.tolist() == [[1, 0], [-1, 0]]


def test_a_box_keeps_its_shape_and_dtype():
    space = Space("box", (2, 3), "float64", (-1.0,) * 6, (1.0,) * 6)
    head = make_head(space, "mse")
    actions = head.actions(np.arange(12.0, dtype=np.float32).reshape(2, 6))
    assert head.outputs == 6 and actions.shape == (2, 2, 3) and actions.dtype == np.float64
    assert head.targets(actions).shape == (2, 6)


@pytest.mark.parametrize(
    ("loss", "wanted"), [("mse", (1 + 0.25) / 2), ("huber", (0.5 + 0.125) / 2)]
)
def test_the_loss_is_in_half_ranges(loss, wanted):
    """Outputs 0 stand for the middles 1 and 50; labels 3 and 75 are 1 and 1/2 half-ranges off."""
    head = make_head(box([-1.0, 0.0], [3.0, 100.0]), loss)
    targets = head.targets(np.float32([[3.0, 75.0]]))
    assert targets.tolist() == [[1.0, 0.5]]
    assert head.loss(torch.zeros(1, 2), targets).item() == pytest.approx(wanted)


def test_huber_is_linear_beyond_one():
    head = make_head(box([-INF], [INF]), "huber")
    loss = head.loss(torch.tensor([[0.0]]), head.targets(np.float32([[3.0]])))
    assert loss.item() == pytest.approx(3 - 0.5)


def test_discrete_counts_from_its_start():
    head = make_head(Space("discrete", (), "int64", sizes=(3,), start=5), "auto")
    actions = head.actions(np.array([[1.0, 2.0, 0.0], [0.0, 0.0, 9.0], [3.0, 0.0, 0.0]]))
    assert actions.tolist() == [6, 7, 5] and actions.dtype == np.int64 and actions.shape == (3,)
    assert head.targets(np.int64([6, 7, 5])).tolist() == [[1], [2], [0]]


def test_multi_discrete_takes_the_largest_of_each_component():
    head = make_head(Space("multi_discrete", (2,), "int64", sizes=(2, 3)), "auto")
    assert head.outputs == 5
    actions = head.actions(np.array([[0.0, 1.0, 5.0, 6.0, 7.0], [1.0, 0.0, 9.0, 6.0, 7.0]]))
    assert actions.tolist() == [[1, 2], [0, 0]]


def test_multi_binary_keeps_its_shape_and_dtype():
    head = make_head(Space("multi_binary", (2, 2), "int8", sizes=(2,) * 4), "auto")
    assert head.outputs == 8
    actions = head.actions(np.array([[0.0, 1, 1, 0, 0, 1, 1, 0]]))
    assert actions.tolist() == [[[1, 0], [1, 0]]] and actions.dtype == np.int8


def test_cross_entropy_by_hand_is_the_mean_over_components():
    head = make_head(Space("multi_discrete", (2,), "int64", sizes=(2, 3)), "cross_entropy")
    outputs = torch.tensor([[0.0, np.log(3.0), 0.0, 0.0, 0.0]])
    loss = head.loss(outputs, head.targets(np.int64([[1, 0]])))
    assert loss.item() == pytest.approx((np.log(4 / 3) + np.log(3)) / 2)


def test_hinge_by_hand():
    """Margins of the wrong ones over three choices: (max(0, 1 - 2 + 0.5) + (1 - 2 + 3)) / 3."""
    head = make_head(Space("discrete", (), "int64", sizes=(3,), start=-1), "hinge")
    loss = head.loss(torch.tensor([[2.0, 0.5, 3.0]]), head.targets(np.int64([-1])))
    assert loss.item() == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("kind", "loss", "sentence"),
    [
        (
            "box",
            "l1",
            "policy.loss must be one of auto, mse, huber, cross_entropy, hinge; got 'l1'",
        ),
        ("box", "hinge", "policy.loss=hinge does not fit the box actions .* use mse or huber"),
        ("discrete", "mse", "does not fit the discrete actions .* use cross_entropy or hinge"),
    ],
)
def test_a_loss_that_does_not_fit_is_refused(kind, loss, sentence):
    space = box([0.0], [1.0]) if kind == "box" else Space("discrete", (), "int64", sizes=(2,))
    with pytest.raises(ConfigError, match=sentence):
        make_head(space, loss)
