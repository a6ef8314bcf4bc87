"""Rendering moves ink where the parameters say."""

import numpy as np
import pytest
import torch

from omnishot.data.affine import IDENTITY, draw_affine
from omnishot.data.render import affine_matrices, elastic_displacement, render, shrink


def parameters(**changes: float) -> torch.Tensor:
    names = ("rotation", "shear_x", "shear_y", "scale_x", "scale_y", "shift_x", "shift_y")
    values = IDENTITY.copy()
    for name, value in changes.items():
        values[names.index(name)] = value
    return torch.from_numpy(values)[None]


def dot(row: int, column: int) -> torch.Tensor:
    image = torch.zeros(1, 105, 105, dtype=torch.uint8)
    image[0, row - 1 : row + 2, column - 1 : column + 2] = 255
    return image


def centre(rendered: torch.Tensor) -> tuple[float, float]:
    """Return row and column of the ink's mean."""
    ink = rendered[0, 0].double()
    rows, columns = torch.meshgrid(*[torch.arange(n, dtype=torch.double) for n in ink.shape], indexing="ij")
    return float((ink * rows).sum() / ink.sum()), float((ink * columns).sum() / ink.sum())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (32, 72)),
        ({"shift_x": 2.0}, (32, 74)),
        ({"shift_y": -1.5}, (30.5, 72)),
        ({"scale_x": 1.2}, (32, 76)),  # 20 right of the middle becomes 24.
        ({"scale_y": 0.8}, (36, 72)),  # 20 above the middle becomes 16.
        ({"shear_x": 0.3}, (32, 66)),  # x + 0.3 y, with y = -20.
        ({"shear_y": 0.3}, (38, 72)),
        ({"rotation": 10.0}, (52 - 20 * np.cos(np.radians(10)) - 20 * np.sin(np.radians(10)), None)),
    ],
)
def test_ink_goes_where_the_parameters_say(changes: dict[str, float], expected: tuple[float, float | None]) -> None:
    row, column = centre(render(dot(32, 72), affine_matrices(parameters(**changes)), 105))
    assert row == pytest.approx(expected[0], abs=0.1)
    if expected[1] is not None:
        assert column == pytest.approx(expected[1], abs=0.1)


def test_the_order_is_scale_then_shear_then_rotate_then_shift() -> None:
    values = {"rotation": 10.0, "shear_x": 0.2, "scale_y": 1.2, "shift_x": 1.0}
    x, y = 20.0, -20.0
    x, y = x, y * 1.2
    x, y = x + 0.2 * y, y
    angle = np.radians(-10)  # Counter-clockwise, in rows that grow downwards.
    x, y = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    row, column = centre(render(dot(32, 72), affine_matrices(parameters(**values)), 105))
    assert [column, row] == pytest.approx([52 + x + 1.0, 52 + y], abs=0.15)


@pytest.mark.parametrize("side", [105, 35])
def test_the_identity_renders_what_shrink_gives(side: int) -> None:
    pixels = torch.from_numpy((np.random.default_rng(0).random((3, 105, 105)) < 0.2).astype(np.uint8) * 255)
    rendered = render(pixels, affine_matrices(parameters().expand(3, 7)), side)
    assert torch.allclose(rendered, shrink(pixels, side), atol=1e-4)


def test_shrink_is_the_mean_of_blocks() -> None:
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 105, 105), dtype=np.uint8))
    expected = pixels.double().div(255).reshape(2, 35, 3, 35, 3).mean(dim=(2, 4))
    assert torch.allclose(shrink(pixels, 35)[:, 0].double(), expected, atol=1e-6)


def test_at_35_pixels_distortion_then_shrinking_is_nearly_the_same_as_in_one_sampling() -> None:
    pixels = torch.zeros(8, 105, 105, dtype=torch.uint8)
    pixels[:, 30:75, 40:48] = 255
    pixels[:, 60:66, 20:80] = 255
    matrices = affine_matrices(torch.from_numpy(draw_affine((8,), np.random.default_rng(0))))
    slow = torch.nn.functional.avg_pool2d(render(pixels, matrices, 105), 3)
    assert (render(pixels, matrices, 35) - slow).abs().mean() < 0.01


def test_elastic_displacement_is_smooth_and_as_strong_as_asked() -> None:
    control = 0.03 * torch.randn(500, 2, 5, 5, generator=torch.Generator().manual_seed(0))
    field = elastic_displacement(control, 35)
    assert field.shape == (500, 35, 35, 2)
    assert float(field[:, 0, 0].std()) == pytest.approx(0.03, rel=0.1)
    steps = (field[:, 1:] - field[:, :-1]).abs().mean()
    assert float(steps) < 0.2 * float(field.abs().mean())
