"""Vectors, similarities and names: what the network itself would say, whatever the way to ask."""

import subprocess
import sys
from typing import Any, get_args

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from omnishot.errors import OmnishotError, UsageError
from omnishot.model.device import choose_compute
from omnishot.model.siamese import build_network
from omnishot.recognition import recognizer as module
from omnishot.recognition.drawing_preparation import DrawingPreparation
from omnishot.recognition.images import Images, PreparedImage
from omnishot.recognition.recognizer import Match, Recognizer, digest_of
from omnishot.vocabulary import TwinName

TWINS: tuple[TwinName, ...] = tuple(twin for twin in get_args(TwinName) if twin != "lite0")


def recognizer_of(twin: TwinName, *, seed: int = 0, preparation: DrawingPreparation | None = None) -> Recognizer:
    torch.manual_seed(seed)
    network = build_network(twin)
    return Recognizer(twin, network, preparation or DrawingPreparation(), choose_compute("cpu", "fp32"))


def strokes(seed: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    image = np.full((105, 105), 255, dtype=np.uint8)
    for _ in range(3):
        row, column = rng.integers(15, 80, size=2)
        image[row : row + 5, column : column + 20] = 0
        image[row : row + 20, column : column + 5] = 0
    return image


IMAGES = [strokes(seed) for seed in range(5)]


@pytest.mark.parametrize("twin", TWINS)
def test_a_similarity_is_the_networks_logit(twin: TwinName) -> None:
    """The reference is the network's own `forward`, image by image, on the pixels that were read."""
    torch.manual_seed(0)
    network = build_network(twin).eval()
    recognizer = Recognizer(twin, network, DrawingPreparation(), choose_compute("cpu", "fp32"))
    read = [image for image in recognizer.read(IMAGES) if isinstance(image, PreparedImage)]
    side = network.twin.side
    inputs = [
        torch.from_numpy(image.pixels).float().reshape(side, 105 // side, side, 105 // side).mean((1, 3)) / 255
        for image in read
    ]
    with torch.no_grad():
        expected = [[network(a[None, None], b[None, None]).item() for b in inputs[:3]] for a in inputs]
    vectors = recognizer.embed(IMAGES)
    assert vectors.shape == (5, recognizer.dimensions)
    assert vectors.dtype == np.float32
    scale = np.abs(expected).max()
    np.testing.assert_allclose(
        recognizer.compare_embeddings(vectors, vectors[:3]) / scale, np.array(expected) / scale, atol=1e-4
    )
    pairs = recognizer.similarity(IMAGES[:3], IMAGES[2:])
    np.testing.assert_allclose(pairs, [expected[2][0], expected[3][1], expected[4][2]], rtol=1e-3)


@pytest.mark.parametrize("twin", TWINS)
def test_chunks_change_nothing(twin: TwinName, monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = recognizer_of(twin)
    rng = np.random.default_rng(0)
    queries, support = (rng.random((n, recognizer.dimensions), dtype=np.float32) for n in (7, 11))
    whole = recognizer.compare_embeddings(queries, support)
    monkeypatch.setattr(module, "_VALUES_PER_CHUNK", 3 * recognizer.dimensions)
    np.testing.assert_allclose(recognizer.compare_embeddings(queries, support), whole, rtol=1e-4, atol=1e-4)


def test_naming_takes_the_class_of_the_highest_mean_similarity() -> None:
    recognizer = recognizer_of("conv4")
    support: dict[str, Images] = {"one": IMAGES[0], "two": [IMAGES[1], IMAGES[2]], "three": np.stack([IMAGES[3]])}
    queries = [IMAGES[4], IMAGES[0], IMAGES[1]]
    matches = recognizer.identify(support, queries, top=3)
    assert [match.name for match in matches[1:2]] == ["one"]
    for query, match in zip(queries, matches, strict=True):
        by_class = {
            name: float(np.mean(recognizer.similarity([query] * len(examples), examples)))
            for name, examples in (("one", [IMAGES[0]]), ("two", [IMAGES[1], IMAGES[2]]), ("three", [IMAGES[3]]))
        }
        ranked = sorted(by_class.items(), key=lambda item: -item[1])
        said = [(match.name, match.score), *match.alternatives]
        assert [name for name, _ in said] == [name for name, _ in ranked]
        assert [score for _, score in said] == pytest.approx([score for _, score in ranked], rel=0.01)
    assert recognizer.identify(support, [], top=3) == []
    assert len(recognizer.identify(support, IMAGES[4], top=9)[0].alternatives) == 2
    (alone,) = recognizer.identify(support, IMAGES[4])
    assert alone == Match(matches[0].name, alone.score)
    assert alone.score == pytest.approx(matches[0].score, abs=1e-6)


def test_a_digest_tells_weights_preparations_and_similarities_apart() -> None:
    same = recognizer_of("conv4")
    assert same.digest == recognizer_of("conv4").digest
    others = [
        recognizer_of("conv4", seed=1),
        recognizer_of("conv4", preparation=DrawingPreparation(look=None)),
        recognizer_of("koch35"),
    ]
    assert len({same.digest, *(other.digest for other in others)}) == 4
    network = build_network("conv4")
    before = digest_of(network, DrawingPreparation())
    with torch.no_grad():
        network.head.bias.add_(1)
    assert digest_of(network, DrawingPreparation()) != before


@pytest.mark.parametrize(
    "ask",
    [
        lambda r: r.compare_embeddings(np.zeros((2, 3)), np.zeros((2, 3))),
        lambda r: r.compare_embeddings(np.zeros(512), np.zeros((2, 512))),
        lambda r: r.similarity(IMAGES[:2], IMAGES[:3]),
        lambda r: r.identify({}, IMAGES),
        lambda r: r.identify({"a": IMAGES[0], "b": []}, IMAGES),
        lambda r: r.identify({"a": IMAGES[0]}, IMAGES, top=0),
        lambda r: r.identify([IMAGES[0]], IMAGES),
        lambda r: r.embed([IMAGES[0], 3]),
    ],
)
def test_what_cannot_be_asked_is_said(ask: Any) -> None:
    with pytest.raises(UsageError) as error:
        ask(recognizer_of("conv4"))
    assert len(str(error.value)) < 200


def test_a_bad_image_is_named() -> None:
    with pytest.raises(OmnishotError, match=r"nothing-here\.png"):
        recognizer_of("conv4").embed([IMAGES[0], "nothing-here.png"])


def test_nothing_has_no_vectors() -> None:
    recognizer = recognizer_of("conv4")
    assert recognizer.embed([]).shape == (0, 512)
    assert recognizer.similarity([], []).shape == (0,)
    assert recognizer.compare_embeddings(np.zeros((0, 512)), np.zeros((3, 512))).shape == (0, 3)


def test_importing_omnishot_imports_nothing_heavy() -> None:
    program = (
        "import sys, omnishot\n"
        "assert omnishot.__version__ and set(omnishot.__all__) <= set(dir(omnishot))\n"
        "omnishot.OmnishotError\n"
        "sys.exit(bool({'torch', 'numpy', 'PIL', 'pydantic'} & set(sys.modules)))\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    import omnishot

    with pytest.raises(AttributeError, match="nothing"):
        omnishot.nothing  # noqa: B018
