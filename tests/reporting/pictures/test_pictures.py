"""Artifacts become pictures; what is gone is left out, and what is asked for by name says why it cannot be had."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from omnishot.config import EvalSettings, PrepareSettings
from omnishot.drawing.picture import Picture
from omnishot.drawing.sheet import reduced
from omnishot.errors import DamagedFileError, NotFoundError, UsageError
from omnishot.formats.evaluation import EvaluationSummary, Result, write_evaluation
from omnishot.formats.hdf5 import open_hdf5
from omnishot.formats.images import read_pixels
from omnishot.formats.pairs import read_pairs
from omnishot.progress import silent
from omnishot.reporting.page.network import pictures_of
from omnishot.reporting.page.subject import Subject
from omnishot.reporting.pictures.network import activations_of, embedding_of, filters_of
from omnishot.reporting.pictures.training import curves_of
from omnishot.reporting.pictures.trials import find_evaluation, grid_of, measured_trials, ranking_of
from omnishot.reporting.pictures.variants import variants_of
from omnishot.settings_text import check
from omnishot.stages.evaluate import evaluate
from omnishot.stages.prepare import prepare
from omnishot.store.artifact import Artifact
from omnishot.store.store import Store

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parents[2] / "golden" / "v1"
SECTIONS = ["Trials", "Worst mistakes and narrowest successes", "What the network sees"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """One artifact of each kind; the evaluation has 4 trials of 4 ways on Lake's pattern."""
    return Store(Path(shutil.copytree(GOLDEN, tmp_path / "artifacts")))


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """An evaluation of baselines alone with 60 trials of 25 ways and 2 shots, on 42 kinds of rectangles."""
    folder = tmp_path_factory.mktemp("wide")
    for kind in range(42):
        for number in range(3):
            image = Image.new("L", (105, 105), 255)
            x, y = 10 + 8 * (kind % 7), 10 + 12 * (kind // 7)
            image.paste(0, (x, y, x + 20 + number, y + 9 + 5 * number))
            path = folder / "boxes" / f"kind{kind:02}" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path)
    store = Store(folder / "artifacts")
    settings = PrepareSettings(split="alphabets", pairs=50, affine=0, validation_pairs=50, test_pairs=50)
    made = prepare(store, settings, source=str(folder / "boxes")).artifact
    values = {"protocol": "between", "on": "train", "ways": [25], "shots": 2, "trials": 60}
    asked = check(EvalSettings, values | {"baselines": ["nearest-neighbour", "random"]}, origin="test")
    evaluate(store, [], made, asked, name="wide", device="cpu")
    return store


def shown_of(store: Store, evaluations: list[Artifact]) -> list[tuple[str, list[Picture]]]:
    """Return the pictures of each section, in whose place nothing is said."""
    found = []
    for title, shown in pictures_of(Subject.of(store, evaluations), silent):
        pictures = [part for part in shown if isinstance(part, Picture)]
        assert len(pictures) == len(shown)
        found.append((title, pictures))
    return found


def names_of(sections: list[tuple[str, list[Picture]]]) -> list[str]:
    return [picture.name for _, pictures in sections for picture in pictures]


def test_a_whole_store_gives_every_section_with_numbers_in_the_words(store: Store) -> None:
    sections = shown_of(store, store.artifacts("evals"))
    assert [title for title, _ in sections] == SECTIONS
    pictures = [picture for _, some in sections for picture in some]
    assert len(set(names_of(sections))) == len(pictures) == 7
    for picture in pictures:
        assert any(letter.isdigit() for letter in picture.alt)
        assert "golden" in picture.title
        assert len(picture.svg()) < 150_000


def test_grids_come_in_every_size_that_was_measured(wide: Store) -> None:
    sections = dict(shown_of(wide, wide.artifacts("evals")))
    assert [picture.name for picture in sections["Trials"]] == [f"trial-{n}-ways" for n in (4, 9, 16, 20, 25)]
    assert "the first of 2 support images" in sections["Trials"][0].alt
    assert set(sections) == set(SECTIONS[:2])  # There is no model.


def test_what_is_gone_is_left_out(store: Store) -> None:
    evaluations = store.artifacts("evals")
    shutil.rmtree(store.root / "models")
    assert [title for title, _ in shown_of(store, evaluations)] == SECTIONS[:2]
    shutil.rmtree(store.root / "pairs")
    assert shown_of(store, evaluations) == []
    assert shown_of(store, []) == []


def test_without_the_pairs_the_filters_are_left(store: Store) -> None:
    evaluations = store.artifacts("evals")
    shutil.rmtree(store.root / "pairs")
    ((title, pictures),) = shown_of(store, evaluations)
    assert (title, [picture.name for picture in pictures]) == (SECTIONS[2], ["filters"])
    with pytest.raises(NotFoundError, match="pairs/golden-20-affine1:v1"):
        measured_trials(store, evaluations[0])
    with pytest.raises(NotFoundError, match="not in the store"):
        embedding_of(store, store.find("models/golden"))


def test_mistakes_and_successes_are_those_the_summary_counts(wide: Store) -> None:
    for method in ("nearest-neighbour", "random"):
        measured = measured_trials(wide, wide.find("wide", "evals"), method)
        lead = measured.margins(25)
        for ranking, n in (("mistakes", int((lead <= 0).sum())), ("successes", int((lead > 0).sum()))):
            picture = ranking_of(measured, ranking)  # type: ignore[arg-type]
            if not n:
                assert picture is None
                continue
            assert picture is not None
            assert f" of {n} in 60 trials" in picture.alt


def test_the_worst_mistake_comes_first_and_every_image_is_its_trials_own(wide: Store) -> None:
    measured = measured_trials(wide, wide.find("wide", "evals"), "random")
    scores, order = measured.trials.scores["random"], np.argsort(measured.margins(25), kind="stable")[:8]
    picture = ranking_of(measured, "mistakes")
    assert picture is not None
    _, _, first = picture.alt.partition(": ground truth ")
    pair = f"{scores[order[0], 0]:.2f}, the predicted class {scores[order[0], 1:].max():.2f}"
    assert first.replace("\N{MINUS SIGN}", "-").startswith(pair)
    images = measured.trials.support[order, :, 0]
    expected = np.stack(
        [measured.trials.query[order], images[np.arange(8), 1 + scores[order, 1:].argmax(axis=1)], images[:, 0]], axis=1
    ).reshape(-1)
    pixels = measured.data.pixels(expected)
    for shown, number in zip(inks(picture), expected, strict=True):
        np.testing.assert_allclose(shown, reduced(pixels[number]), atol=0.01)


def inks(picture: Picture) -> list[NDArray[np.float64]]:
    """Return the images of a picture as shares of ink."""
    return [np.asarray(image.get_array())[..., 3] / 255 for image in picture.figure.axes[0].images]


def test_a_pair_is_shown_left_and_right_before_its_variants(store: Store) -> None:
    pairs = store.find("golden-20-affine1")
    with open_hdf5(pairs.file("pairs.h5")) as file:
        drawn = read_pairs(file, "train")
        pixels = read_pixels(file)
    assert drawn is not None
    shown = inks(variants_of(pairs, 4))
    assert len(shown) == 4
    np.testing.assert_allclose(shown[0], reduced(pixels[drawn.left[4]]), atol=0.01)
    np.testing.assert_allclose(shown[2], reduced(pixels[drawn.right[4]]), atol=0.01)
    assert np.abs(shown[1] - shown[0]).max() > 0.1


def test_a_grid_of_fewer_ways_has_the_first_classes_of_the_trial(store: Store) -> None:
    measured = measured_trials(store, store.find("golden-lake"))
    scores = measured.trials.scores["models/golden:v1"][2, :3]
    picture = grid_of(measured, n_way=3, number=2)
    assert picture.title == "3-way trial 2: models/golden:v1, protocol lake, test images of golden"
    shown = [text.get_text().replace("\N{MINUS SIGN}", "-") for text in picture.figure.axes[0].texts]
    assert {f"{score:.2f}" for score in scores} <= set(shown)


@pytest.mark.parametrize(("n_way", "number"), [(1, 0), (5, 0), (4, 4), (4, -1)])
def test_ways_and_trials_that_are_not_there_are_refused_with_what_is(store: Store, n_way: int, number: int) -> None:
    with pytest.raises(UsageError, match=r"2 to 4|0 to 3"):
        grid_of(measured_trials(store, store.find("golden-lake")), n_way=n_way, number=number)


def test_a_method_is_named_with_or_without_kind_and_version(store: Store) -> None:
    evaluation = store.find("golden-lake")
    for name in (None, "golden", "golden:v1", "models/golden", "models/golden:v1"):
        assert measured_trials(store, evaluation, name).method == "models/golden:v1"
    assert measured_trials(store, evaluation, "hausdorff").method == "hausdorff"
    with pytest.raises(UsageError, match="names no method"):
        measured_trials(store, evaluation, "hausdorf")


def test_an_evaluation_is_found_by_itself_and_by_its_model(store: Store) -> None:
    for reference in (None, "golden-lake", "evals/golden-lake:v1", "golden", "models/golden"):
        assert str(find_evaluation(store, reference).reference) == "evals/golden-lake:v1"
    with pytest.raises(UsageError, match="has no trials"):
        find_evaluation(store, "pairs/golden-20-affine1")
    with pytest.raises(NotFoundError, match="'nothing'"):
        find_evaluation(store, "nothing")


def test_a_trial_that_points_at_no_image_is_damage(store: Store, tmp_path: Path) -> None:
    evaluation = store.find("golden-lake")
    result = Result("random", "lake", "test", 2, 1, 1, 0, 0.0, (0.0, 0.0), 1)
    one = np.zeros(1, np.int32)
    far: dict[str, NDArray[Any]] = {"query": one + 99_999, "support": one.repeat(2).reshape(1, 2, 1), "episode": one}
    summary = EvaluationSummary(
        data="x", source="golden", models={}, seed=0, device="cpu", comparisons=(), results=(result,)
    )
    write_evaluation(tmp_path, summary, {"trials": far, "random": {"scores": np.zeros((1, 2), np.float32)}})
    for name in ("scores.h5", "summary.json"):
        size, content = (tmp_path / name).stat().st_size, (tmp_path / name).read_bytes()
        (evaluation.path / name).chmod(0o644)
        (evaluation.path / name).write_bytes(content)
        evaluation.manifest.files[name] = evaluation.manifest.files[name].model_copy(
            update={"size": size, "sha256": hashlib.sha256(content).hexdigest()}
        )
    with pytest.raises(DamagedFileError, match="99,999"):
        measured_trials(store, evaluation)


def test_pictures_of_the_model_say_model_image_and_alphabet(store: Store) -> None:
    model = store.find("models/golden")
    assert filters_of([model]).title == "First-layer filters of models/golden:v1"
    assert activations_of(store, model, 3).title.startswith("Activation maps of models/golden:v1 for A")
    assert embedding_of(store, model, "a0").title.startswith("Embeddings of A0: models/golden:v1")
    assert curves_of([model]).title == "Loss, accuracy and learning rate: models/golden:v1"
    assert curves_of([model]).alt.startswith("Over 1 epoch the loss goes from")
    assert curves_of([model, model]).alt.startswith("models/golden:v1: over 1 epoch the loss")
    assert "one class" in variants_of(store.find("golden-20-affine1")).title


def test_what_there_is_none_of_is_refused(store: Store) -> None:
    model = store.find("models/golden")
    with pytest.raises(UsageError, match="of 3"):
        filters_of([model] * 3)
    with pytest.raises(UsageError, match="--image 999"):
        activations_of(store, model, 999)
    with pytest.raises(UsageError, match="there is no 'A9'"):
        embedding_of(store, model, "A9")
    with pytest.raises(UsageError, match="not of 9"):
        curves_of([model] * 9)
    with pytest.raises(UsageError, match="--pair 20: there are training pairs 0 to 19"):
        variants_of(store.find("golden-20-affine1"), 20)
