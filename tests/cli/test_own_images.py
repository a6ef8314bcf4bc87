"""What the commands make of folders as people have them: nothing is lost, misread or refused without a word."""

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

from omnishot.store.manifest import read_manifest
from omnishot.store.recipe import Recipe
from omnishot.store.remake import command_of
from tests.conftest import Cli
from tests.tiny import CHANGES, setting

pytestmark = pytest.mark.slow

SMALL = ("--pairs", "40", "--affine", "0")


def draw(path: Path, class_number: int, number: int, *, side: int = 40) -> None:
    """Draw strokes that differ by class, moved a little from picture to picture."""
    rng = np.random.default_rng([class_number, 7])
    image = np.full((side, side), 255, dtype=np.uint8)
    for x, y, w, h in rng.integers(4, side // 2, size=(4, 4)):
        image[y + number : y + number + 1 + h // 4, x + number : x + number + w] = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


def classes(folder: Path, names: Any, n_images: int = 3, *, first: int = 0) -> Path:
    for place, name in enumerate(names, first):
        for number in range(n_images):
            draw(folder / str(name) / f"{number}.png", place, number)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "artifacts"


def prepared(omnishot: Cli, source: Path, store: Path, *options: str) -> tuple[dict[str, Any], str]:
    done = omnishot("prepare", "--source", source, *SMALL, *options, "--store", store, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out), done.err


def test_prepare_says_what_it_found_and_which_part_has_what(omnishot: Cli, tmp_path: Path, store: Path) -> None:
    source = classes(tmp_path / "photos", range(10))
    (source / "3" / "Thumbs.db").write_bytes(b"x")
    shutil.copy(source / "0" / "0.png", source / "0" / "0 (copy).png")
    made, err = prepared(omnishot, source, store)
    assert "Read 31 pictures of 10 classes" in err
    assert "Passed over 1 file: Thumbs.db" in err
    assert "copies" in err or "copy" in err
    assert "Split by class: train 6 classes, 19 images; validation 2 classes, 6 images; test 2 classes" in err
    assert made["classes"] == {"train": 6, "validation": 2, "test": 2}
    _, again = prepared(omnishot, source, store)
    assert "Passed over 1 file: Thumbs.db" in again  # It is no less true when nothing is read again.


def test_folders_of_parts_are_those_parts(omnishot: Cli, tmp_path: Path, store: Path) -> None:
    source = tmp_path / "data"
    for place, (part, names) in enumerate({"train": "abcdef", "val": "gh", "Test": "ij"}.items()):
        classes(source / part, names, first=10 * place)
    made, err = prepared(omnishot, source, store)
    assert "Split folders: train 6 classes, 18 images; validation 2 classes, 6 images; test 2 classes, 6 images" in err
    assert made["artifact"] == "pairs/data-40-folders:v1"


def test_a_class_in_two_parts_is_refused_by_name(omnishot: Cli, tmp_path: Path, store: Path) -> None:
    for part in ("train", "val", "test"):
        classes(tmp_path / "data" / part, "abcdef")
    done = omnishot("prepare", "--source", tmp_path / "data", *SMALL, "--store", store)
    assert done.code == 2
    assert "share 6 classes of 6 (a, b, c, ...)" in done.err
    assert (
        omnishot("prepare", "--source", tmp_path / "data", "--split", "alphabets", *SMALL, "--store", store).code == 0
    )


def test_a_picture_in_two_parts_is_said(omnishot: Cli, tmp_path: Path, store: Path) -> None:
    for place, (part, names) in enumerate({"train": "abcd", "test": "ij"}.items()):
        classes(tmp_path / "data" / part, names, first=10 * place)
    Image.open(tmp_path / "data" / "train" / "a" / "0.png").save(tmp_path / "data" / "test" / "i" / "same.bmp")
    made, err = prepared(omnishot, tmp_path / "data", store)
    assert "1 picture of the train or validation part lies in a later part too" in err
    assert made["in_two_parts"] == 1


def test_bad_files_are_named_at_once_and_left_out_where_that_is_asked(
    omnishot: Cli, tmp_path: Path, store: Path
) -> None:
    source = classes(tmp_path / "photos", range(6))
    (source / "1" / "0.png").write_bytes(b"")
    (source / "2" / "1.png").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    done = omnishot("prepare", "--source", source, *SMALL, "--store", store)
    assert done.code == 4
    assert "1/0.png" in done.err
    assert "git lfs pull" in done.err
    made, err = prepared(omnishot, source, store, "--skip-bad")
    assert "Read 16 pictures of 6 classes" in err
    shown = omnishot("show", made["artifact"], "--store", store).out
    assert "--skip-bad" in shown
    again = omnishot("prepare", "--source", source, "--skip-bad", *SMALL, "--store", store)
    assert "Reused" in again.err


def test_ink_can_be_said_and_is_for_images_of_ones_own(omnishot: Cli, tmp_path: Path, store: Path) -> None:
    source = classes(tmp_path / "photos", range(6))
    _, err = prepared(omnishot, source, store, "--ink", "dark")
    assert "Read 18 pictures" in err
    assert omnishot("prepare", "--source", "glyphs", "--ink", "dark", "--store", store).code == 2
    assert omnishot("eval", "--ink", "dark", "--store", store).code == 2


def test_classes_too_few_to_divide_are_all_a_test(omnishot: Cli, tmp_path: Path, store: Path) -> None:
    source = classes(tmp_path / "five", range(5))
    for protocol in ("within", "between"):
        arguments = ("--source", source, "--protocol", protocol, "--baselines", "nearest-neighbour", "--trials", "200")
        done = omnishot("eval", *arguments, "--store", store, "--json")
        assert done.code == 0, done.err
        (result,) = json.loads(done.out)["results"]
        assert result["ways"] == 5  # The most there are, as the help says.
        assert result["questions"] < result["trials"] == 200
        assert f"200 ({result['questions']} different)" in done.err
        assert "5-way trials, as the test part allows no more; 20 are usual" in done.err
        assert "All of these images are the test" in done.err


def test_names_in_other_scripts_are_said_to_be_others_in_the_store(omnishot: Cli, tmp_path: Path, store: Path) -> None:
    made, err = prepared(omnishot, classes(tmp_path / "文字", range(6), 2), store)
    assert "Names of artifacts have Latin letters alone: these are images/images-" in err
    assert made["artifact"].startswith("pairs/images-")


TINY = ("--preset", "quick", "--device", "cpu", *setting(*CHANGES, "objective.classes_per_batch=4"))


def test_a_folder_is_a_test_set_where_that_is_asked(omnishot: Cli, tmp_path: Path, store: Path) -> None:
    classes(tmp_path / "others", range(20, 30), first=20)
    prepared(omnishot, tmp_path / "others", store)
    trained = omnishot("train", *TINY, "--store", store)
    assert trained.code == 0, trained.err
    source = classes(tmp_path / "photos", range(12))
    done = omnishot("prepare", "--source", source, "--test-only", "--store", store, "--json")
    assert done.code == 0, done.err
    assert "All 36 images of 12 classes are the test part" in done.err
    made = json.loads(done.out)
    assert (made["artifact"], made["pairs"]) == ("pairs/photos-test-only:v1", {"test": 10000})
    refused = omnishot("train", *TINY, "--store", store)
    assert refused.code == 2
    assert "photos-test-only:v1 is a test set" in refused.err
    done = omnishot("eval", "--source", source, "--trials", "50", "--store", store, "--json")
    assert done.code == 0, done.err
    evaluated = json.loads(done.out)
    assert evaluated["results"][0]["ways"] == 12  # Divided, two or three classes would be left.
    assert omnishot("eval", "--source", source, "--protocol", "verification", "--store", store).code == 2
    for option in (("--pairs", "30k"), ("--affine", "2"), ("--split", "alphabets"), ("--materialize",)):
        refused = omnishot("prepare", "--source", source, "--test-only", *option, "--store", store)
        assert (refused.code, option[0] in refused.err) == (2, True)
    words = shlex.split(command_of(store, read_manifest(Path(made["path"]))))
    again = omnishot(*words[1:])
    assert (again.code, "Reused pairs/photos-test-only:v1" in again.err) == (0, True), again.err
    again = omnishot(*shlex.split(command_of(store, read_manifest(Path(evaluated["path"]))))[1:])
    assert (again.code, f"Reused {evaluated['artifact']}" in again.err) == (0, True), again.err


def test_classes_of_one_picture_are_named_and_stop_nothing(omnishot: Cli, tmp_path: Path, store: Path) -> None:
    source = classes(tmp_path / "photos", "abcdefgh")
    classes(source, ["1", "2", "z"], 1, first=20)
    _, err = prepared(omnishot, source, store)
    assert "3 of 11 classes have one picture only (1, 2, z): compared with others, and never asked for" in err
    done = omnishot("train", *TINY, "--store", store)
    assert done.code == 0, done.err
    assert "3 of 7 training classes have fewer than 2 images" in done.err
    for protocol in ("within", "between", "verification"):
        measured = omnishot("eval", "--protocol", protocol, "--store", store)
        assert measured.code == 0, measured.err
    arguments = ("--baselines", "random", "--trials", "20", "--store", tmp_path / "other")
    assert omnishot("eval", "--source", source, *arguments).code == 0


def test_alphabets_of_single_pictures_cost_the_others_nothing(omnishot: Cli, tmp_path: Path, store: Path) -> None:
    for place, maker in enumerate("ABCDE"):
        classes(tmp_path / "makers" / maker, range(3), 1 if maker in "BE" else 3, first=3 * place)
    made, err = prepared(omnishot, tmp_path / "makers", store)
    assert "6 of 15 classes have one picture only" in err
    assert made["classes"] == {"train": 9, "validation": 3, "test": 3}
    assert omnishot("run", "--source", tmp_path / "makers", *SMALL, *TINY, "--store", store).code == 0


def test_a_part_of_single_pictures_has_no_pairs(omnishot: Cli, tmp_path: Path, store: Path) -> None:
    classes(tmp_path / "data" / "train", "abcd")
    classes(tmp_path / "data" / "test", "ef", 1, first=4)
    made, err = prepared(omnishot, tmp_path / "data", store)
    assert "No class of the test part has 2 images" in err
    assert list(made["pairs"]) == ["train"]
    done = omnishot("run", "--source", tmp_path / "data", *SMALL, *TINY, "--store", store)
    assert done.code == 0, done.err
    assert "One-shot accuracy is not measured on the test part" in done.err
    done = omnishot("eval", "--store", store)
    assert (done.code, "None of 2 classes has 2 images that differ" in done.err) == (2, True)


def test_one_picture_of_each_class_cannot_train(omnishot: Cli, tmp_path: Path, store: Path) -> None:
    source = classes(tmp_path / "people", range(8), 1)
    (source / "3" / "Thumbs.db").write_bytes(b"x")
    done = omnishot("prepare", "--source", source, *SMALL, "--store", store)
    assert done.code == 2
    assert "a class of 2 images or more each, but none of 8 classes have them" in done.err
    assert done.err.startswith("Read 8 pictures of 8 classes\nPassed over 1 file: Thumbs.db\n")
    assert not re.search("alphabet|drawer|character", done.err)


def test_uneven_classes_are_validated_by_class(omnishot: Cli, tmp_path: Path, store: Path) -> None:
    source = classes(tmp_path / "people", range(9), 2)
    classes(source, ["large"], 30, first=9)
    prepared(omnishot, source, store)
    done = omnishot("train", *TINY, "--store", store, "--json")
    assert done.code == 0, done.err
    made = json.loads(done.out)
    assert made["validation_accuracy"] is not None
    manifest = read_manifest(Path(made["path"]))  # Validated otherwise than before, it is another model.
    assert manifest.recipe == Recipe("models", 2, manifest.settings, manifest.parents).id


def test_what_was_trained_on_stays_out_of_the_test(omnishot: Cli, tmp_path: Path, store: Path) -> None:
    source = classes(tmp_path / "photos", range(20))
    prepared(omnishot, source, store)
    tiny = ("epochs=1", "objective.batches_per_epoch=1", "objective.classes_per_batch=4", "validation_trials=0")
    settings = [word for change in tiny for word in ("--set", change)]
    assert omnishot("train", "--preset", "quick", *settings, "--device", "cpu", "--store", store).code == 0
    done = omnishot("eval", "--source", source, "--baselines", "none", "--trials", "50", "--store", store, "--json")
    assert done.code == 0, done.err
    assert "was trained on these images: the split of pairs/photos-40:v1 is kept" in done.err
    assert json.loads(done.out)["results"][0]["ways"] == 4  # The test part, a fifth of 20 classes.
    draw(source / "0" / "new.png", 0, 3)
    done = omnishot("eval", "--source", source, "--baselines", "none", "--trials", "50", "--store", store)
    assert (done.code, "was trained on other images of this name" in done.err) == (0, True)
    shutil.rmtree(store / "pairs" / "photos-40")
    done = omnishot("eval", "--source", source, "--baselines", "none", "--trials", "60", "--store", store)
    assert (done.code, "pairs/photos-40:v1 is gone" in done.err) == (0, True)


def test_ten_pictures_are_no_ten_thousand_trials(omnishot: Cli, tmp_path: Path, store: Path) -> None:
    source = classes(tmp_path / "few", range(5), 2)
    arguments = ("--source", source, "--ways", "5", "--trials", "10000", "--baselines", "nearest-neighbour")
    done = omnishot("eval", *arguments, "--store", store, "--json")
    assert done.code == 0, done.err
    (result,) = json.loads(done.out)["results"]
    low, high = result["ci95"]
    assert result["questions"] == 160  # Ten queries, and two pictures of each of four other classes beside each.
    assert high - low > 0.25


def test_classes_of_very_different_sizes_are_all_asked_and_no_picture_is_its_own_support(
    omnishot: Cli, tmp_path: Path, store: Path
) -> None:
    source = classes(tmp_path / "people", range(4), 2)
    classes(source, ["large"], 30, first=4)
    for number in range(30):
        shutil.copy(source / "large" / "0.png", source / "large" / f"copy of 0, {number}.png")
    arguments = ("--source", source, "--ways", "5", "--trials", "300", "--baselines", "nearest-neighbour")
    done = omnishot("eval", *arguments, "--store", store, "--json")
    assert done.code == 0, done.err
    scores = h5py.File(store / "evals" / "baselines-people-within" / "v1" / "scores.h5")
    images = h5py.File(store / "images" / "people" / "v1" / "images.h5")
    query, support = scores["trials/query"][...], scores["trials/support"][...][:, 0, 0]
    pixels, of_class = images["images/pixels"][...], images["images/character"][...]
    assert not any(np.array_equal(pixels[one], pixels[other]) for one, other in zip(query, support, strict=True))
    assert np.bincount(of_class[query], minlength=5).min() > 30


def test_a_reading_that_was_asked_for_is_no_other_reading(omnishot: Cli, tmp_path: Path, store: Path) -> None:
    source = classes(tmp_path / "photos", range(6))
    for options in ((), ("--ink", "dark"), ("--ink", "light"), ("--skip-bad",)):
        prepared(omnishot, source, store, *options)
    assert len(list((store / "images" / "photos").glob("v*"))) == 4
    done = omnishot("eval", "--source", source, "--ink", "dark", "--baselines", "random", "--store", store)
    assert done.code == 0, done.err
    page = tmp_path / "page.html"
    assert omnishot("report", "--out", page, "--store", store).code == 0
    assert "--ink dark" in re.sub(r"<[^>]*>", "", page.read_text())


def test_train_and_val_alone_are_parts_too(omnishot: Cli, tmp_path: Path, store: Path) -> None:
    for part in ("train", "val"):
        classes(tmp_path / "imagenet" / part, "abcdef")
    done = omnishot("prepare", "--source", tmp_path / "imagenet", *SMALL, "--store", store)
    assert (done.code, "share 6 classes of 6" in done.err) == (2, True)
    classes(tmp_path / "apart" / "train", "abcd")
    classes(tmp_path / "apart" / "val", "ef", first=4)
    made, _ = prepared(omnishot, tmp_path / "apart", store)
    assert made["classes"] == {"train": 4, "validation": 0, "test": 2}


def test_long_names_of_bad_files_do_not_damage_what_is_made(omnishot: Cli, tmp_path: Path, store: Path) -> None:
    source = classes(tmp_path / "photos", range(6))
    for number in range(12):
        (source / "0" / f"{'x' * 200}{number}.png").write_bytes(b"")
    prepared(omnishot, source, store, "--skip-bad")
    _, err = prepared(omnishot, source, store, "--skip-bad")
    assert "Left out 12" in err
