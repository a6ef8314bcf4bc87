"""Pictures of layers and maps show what they are given: every filter by its sign, every map by its contrast."""

import numpy as np
from matplotlib.patches import Rectangle

from omnishot.drawing.embedding_map import embedding_map
from omnishot.drawing.layers import activation_maps, first_filters
from omnishot.drawing.picture import FIRST, SECOND, SERIES
from omnishot.drawing.sheet import mosaic, reduced
from omnishot.drawing.variants import affine_variants
from omnishot.evaluation.activations import Response
from omnishot.evaluation.projection import Projection

PIXELS = np.zeros((105, 105), dtype=np.uint8)
PIXELS[30:70, 50:56] = 255


def test_all_filters_of_two_models_are_there_in_two_colours() -> None:
    rng = np.random.default_rng(0)
    weights = {f"models/{name}:v1": rng.normal(size=(64, 4, 4)).astype(np.float32) for name in ("one", "two")}
    picture = first_filters(weights)
    axes = picture.figure.axes[0]
    assert len(axes.patches) == 128
    assert len(axes.images) == 4
    assert "models/one:v1 has 64 filters of 4 by 4 pixels" in picture.alt
    assert f"{weights['models/two:v1'].max():.2f}" in picture.alt
    assert {f"var({FIRST.variable}", f"var({SECOND.variable}"} <= {part.split(",")[0] for part in picture.svg().split()}


def test_a_weight_lies_in_its_filters_frame_and_in_its_signs_image() -> None:
    weights = np.zeros((10, 3, 3), dtype=np.float32)
    weights[9, 0, 2] = 1.0  # The second of the second row, upper right corner.
    axes = first_filters({"m": weights}).figure.axes[0]
    positive, negative = (np.asarray(image.get_array())[..., 3] for image in axes.images)
    assert negative.max() == 0
    rows, columns = np.nonzero(positive)
    left, right, bottom, top = axes.images[0].get_extent()
    x = left + (columns.mean() + 0.5) / positive.shape[1] * (right - left)
    y = top + (rows.mean() + 0.5) / positive.shape[0] * (bottom - top)
    frame = axes.patches[9]
    assert isinstance(frame, Rectangle)
    assert frame.get_x() + frame.get_width() * 0.6 < x < frame.get_x() + frame.get_width()
    assert frame.get_y() < y < frame.get_y() + frame.get_height() * 0.4


def test_maps_come_by_contrast_and_an_even_one_is_blank() -> None:
    maps = np.full((40, 8, 8), 5.0, dtype=np.float32)
    maps[31, 2:4, 2:4] = 9.0
    maps[7, 2:4, 2:4] = 6.0
    axes = activation_maps(PIXELS, [Response("conv1", maps)], about="m", what="Greek/alpha").figure.axes[0]
    shades = [np.asarray(image.get_array())[..., 3] for image in axes.images[1:]]
    assert len(shades) == 16
    assert shades[0].max() == shades[1].max() == 255
    assert all(shade.max() == 0 for shade in shades[2:])
    assert any("16 of 40 maps of 8 x 8" in text.get_text() for text in axes.texts)


def test_variants_are_counted_and_said() -> None:
    picture = affine_variants(np.stack([PIXELS] * 4), np.stack([PIXELS] * 4), names=("a", "b"), about="pair 3")
    texts = [text.get_text() for text in picture.figure.axes[0].texts]
    assert texts.count("as drawn") == 2
    assert "variant 3" in texts
    assert "variant 4" not in texts
    assert "in 3 affine variants" in picture.alt


def test_an_embedding_says_its_share_of_variance_and_draws_every_character_in_one_colour() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(30, 2))
    characters = np.repeat(np.arange(10), 3)
    picture = embedding_map(
        np.stack([PIXELS] * 30),
        characters,
        Projection(points, np.array([0.4, 0.25])),
        agreeing=0.9,
        about="m",
        alphabet="Greek",
    )
    axes = picture.figure.axes[0]
    colours = [line.get_color() for line in axes.lines]
    assert [len(set(colours[start : start + 3])) for start in range(0, 30, 3)] == [1] * 10
    assert set(colours) == {colour.drawn for colour in SERIES}
    assert "30 images of 10 classes of Greek" in picture.alt
    assert "40% and 25% of the variance" in picture.alt
    assert "for 90% of the images" in picture.alt


def test_reducing_keeps_the_ink_and_a_mosaic_keeps_the_order() -> None:
    small = reduced(PIXELS, 35)
    assert small.shape == (35, 35)
    assert np.isclose(small.sum() * 9 * 255, PIXELS.sum())
    assert reduced(PIXELS, 64).shape == (53, 53)
    laid = mosaic(np.arange(1.0, 6.0)[:, None, None] * np.ones((1, 2, 2)), 3, 1)
    assert laid.shape == (5, 8)
    assert laid[0].tolist() == [1, 1, 0, 2, 2, 0, 3, 3]
    assert laid[3].tolist() == [4, 4, 0, 5, 5, 0, 0, 0]
