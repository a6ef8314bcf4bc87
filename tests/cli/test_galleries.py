"""One's own images from the shell: enrolled from one example each, identified, compared, calibrated, removed."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from omnishot.formats.gallery import read_gallery, read_thumbnails
from omnishot.store.store import Store
from tests.conftest import Cli, draw_images, environment_with, made_once

pytestmark = pytest.mark.slow

IMAGES = draw_images(1, 30, 4, wobble=2, seed=7)


def draw(path: Path, number: int, drawer: int) -> Path:
    """Write the drawing of a class by one of four drawers, black on white."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(255 - IMAGES.pixels[4 * number + drawer]).save(path)
    return path


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five people once each in `staff`, later ones and two strangers in `later`, twenty others twice."""

    def make(folder: Path) -> None:
        for i in range(5):
            draw(folder / "staff" / f"e{i}.png", i, 0)
            draw(folder / "later" / f"e{i}" / "1.png", i, 1)
        for i in range(5, 30):
            where = folder / ("later" if i < 7 else "others") / f"x{i}"
            for drawer in range(2):
                draw(where / f"{drawer}.png", i, drawer)

    return made_once(tmp_path_factory, "pictures-of-classes", make)


@pytest.fixture
def store(evaluated_store: Path, tmp_path: Path) -> Path:
    """A store with a model that has seen little."""
    shutil.copytree(evaluated_store / "models", tmp_path / "artifacts" / "models")
    return tmp_path / "artifacts"


@pytest.fixture
def staff(omnishot: Cli, store: Path, pictures: Path) -> Path:
    """A store with a gallery of five."""
    assert omnishot("enroll", "staff", pictures / "staff", "--store", store).out == "galleries/staff:v1\n"
    return store


def test_one_image_each_is_enough_and_the_next_class_costs_one_more(
    omnishot: Cli, staff: Path, pictures: Path, tmp_path: Path
) -> None:
    eleventh = draw(tmp_path / "door.png", 10, 0)
    done = omnishot("enroll", "staff", f"new one={eleventh}", "--store", staff)
    assert (done.code, done.out) == (0, "galleries/staff:v2\n")
    assert "provisional" in done.err
    images = [pictures / "later" / f"e{i}" / "1.png" for i in (3, 0, 4)]
    done = omnishot("identify", "staff", *images, eleventh, "--store", staff, "--format", "tsv")
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert rows[0] == ["image", "name", "score", "threshold", "class_1", "score_1", "class_2", "score_2"]
    assert [row[0] for row in rows[1:]] == [*map(str, images), str(eleventh)]
    assert [row[4] for row in rows[1:]] == ["e3", "e0", "e4", "new one"]
    assert rows[4][1] == "new one"
    as_json = json.loads(omnishot("identify", "staff", *images, eleventh, "--store", staff, "--json").out)
    assert as_json["gallery"] == "galleries/staff:v2"
    assert as_json["threshold"]["rule"] == "provisional"
    for row, found in zip(rows[1:], as_json["images"], strict=True):
        assert (row[0], row[1]) == (found["image"], found["name"] or "unknown")
        assert [float(row[2]), float(row[3])] == [found["score"], found["threshold"]]
        assert row[4] == found["nearest"][0]["class"]


def test_who_is_not_similar_enough_is_unknown_and_a_bad_image_costs_none_of_the_others(
    omnishot: Cli, staff: Path, pictures: Path, tmp_path: Path
) -> None:
    known = pictures / "staff" / "e1.png"
    (tmp_path / "bad.png").write_bytes(b"\x89PNG")
    blank = tmp_path / "blank.png"
    Image.new("L", (50, 50), 255).save(blank)
    words = [known, tmp_path / "bad.png", tmp_path / "none.png", blank, pictures / "later" / "x5" / "0.png"]
    done = omnishot("identify", "staff", *words, "--store", staff, "--threshold", "-0.5")
    assert done.code == 4
    lines = done.out.splitlines()
    assert [line.rpartition(": ")[0] for line in lines] == [str(word) for word in words]
    assert ": e1 (score" in lines[0]
    assert [line.rpartition(": ")[2] for line in lines[1:4]] == ["not read"] * 3
    for word, reason in ((words[1], "PNG"), (words[2], "no file"), (blank, "is blank")):
        assert any(str(word) in line and reason in line for line in done.err.splitlines())
    assert "3 of 5 images could not be read" in done.err
    done = omnishot("identify", "staff", known, words[4], "--store", staff, "--threshold", "1e9", "--known")
    assert (done.code, done.out.count(": unknown (")) == (3, 2)
    assert "2 of 2 images are unknown" in done.err
    assert omnishot("identify", "staff", known, "--store", staff, "--threshold", "-1e9", "--known").code == 0


def test_an_image_can_come_from_stdin(staff: Path, pictures: Path) -> None:
    command = [sys.executable, "-m", "omnishot", "identify", "staff", "-", "--store", str(staff), "--quiet"]
    with (pictures / "staff" / "e2.png").open("rb") as image:
        done = subprocess.run(command, stdin=image, capture_output=True, check=False, env=environment_with({}))
    assert done.stdout.startswith(b"stdin: e2 (score ")
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_name_that_is_there_is_refused_unless_it_is_said_what_becomes_of_it(
    omnishot: Cli, staff: Path, pictures: Path
) -> None:
    later = pictures / "later" / "e1" / "1.png"
    refused = omnishot("enroll", "staff", f"e1={later}", "--store", staff)
    assert refused.code == 2
    assert "e1 is in the gallery staff already" in refused.err
    assert "--add" in refused.err
    assert "--replace" in refused.err
    store = Store(staff)
    for option, files in (("--add", ["e1.png", "1.png"]), ("--replace", ["1.png"])):
        assert omnishot("enroll", "staff", f"e1={later}", option, "--store", staff).code == 0
        gallery = read_gallery(store.find("staff"))
        place = gallery.classes.index("e1")
        kept = [file for file, number in zip(gallery.files, gallery.of_class, strict=True) if number == place]
        assert kept == files
        assert len(gallery.classes) == 5
    again = omnishot("enroll", "staff", f"e1={later}", "--add", "--store", staff)
    assert "is passed over" in again.err


def test_classes_are_named_as_people_have_their_images(omnishot: Cli, store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    draw(folder / "alone.png", 0, 0)
    for drawer in range(2):
        draw(folder / "two of them" / f"{drawer}.png", 1, drawer)
    draw(folder / "deep" / "er" / "a.png", 2, 0)
    (folder / "Thumbs.db").write_bytes(b"x")
    (folder / "notes.txt").write_text("x")
    first, second = draw(tmp_path / "a,b.png", 3, 0), draw(tmp_path / "c.png", 3, 1)
    archive = shutil.make_archive(str(tmp_path / "zipped"), "zip", draw(tmp_path / "z" / "inside.png", 4, 0).parent)
    words = [folder, f"listed={tmp_path / 'deep.png'},{second}", f"comma={first}", archive]
    draw(tmp_path / "deep.png", 5, 0)
    done = omnishot("enroll", "things", *words, "--store", store, "--json")
    assert done.code == 0, done.err
    gallery = read_gallery(Store(store).find("things"))
    counts = {name: int((gallery.of_class == i).sum()) for i, name in enumerate(gallery.classes)}
    wanted = {"alone": 1, "deep/er": 1, "two of them": 2, "listed": 2, "comma": 1, "inside": 1}
    assert counts == wanted
    assert "passed over Thumbs.db, notes.txt" in done.err


@pytest.mark.parametrize("words", [["=a.png"], ["unknown=a.png"], ["a\tb=a.png"], ["x=none.png"], ["none"], ["x="], []])
def test_what_names_no_class_and_no_image_is_refused_before_anything_is_made(
    omnishot: Cli, store: Path, tmp_path: Path, words: list[str]
) -> None:
    draw(tmp_path / "a.png", 0, 0)
    words = [word.replace("a.png", str(tmp_path / "a.png")) for word in words]
    done = omnishot("enroll", "things", *words, "--store", store)
    assert done.code in {2, 4}, done.err
    assert "Traceback" not in done.err
    assert not (store / "galleries").exists()


def test_images_that_cannot_be_enrolled_are_all_named_and_nothing_is_enrolled_without_them(
    omnishot: Cli, store: Path, tmp_path: Path
) -> None:
    draw(tmp_path / "p" / "good.png", 0, 0)
    (tmp_path / "p" / "bad.png").write_bytes(b"")
    Image.new("L", (50, 50), 255).save(tmp_path / "p" / "blank.png")
    refused = omnishot("enroll", "things", tmp_path / "p", "--store", store)
    assert refused.code == 4
    assert "bad.png is empty" in refused.err
    assert "blank.png is blank" in refused.err
    assert "--skip-bad" in refused.err
    assert not (store / "galleries").exists()
    done = omnishot("enroll", "things", tmp_path / "p", "--skip-bad", "--store", store)
    assert done.code == 0
    assert "2 images cannot be used" in done.err
    assert "one class alone" in done.err


def test_looks_alike_is_said(omnishot: Cli, staff: Path, pictures: Path) -> None:
    done = omnishot("enroll", "staff", f"double={pictures / 'staff' / 'e3.png'}", "--store", staff)
    assert "double (e3.png) looks like e3" in done.err
    assert done.err.count("looks like") == 1


def test_another_model_is_refused_with_the_command_that_enrolls_again_which_works(
    omnishot: Cli, staff: Path, pictures: Path
) -> None:
    shutil.copytree(Path(__file__).parents[1] / "golden" / "v1" / "models", staff / "models", dirs_exist_ok=True)
    image = draw(staff.parent / "f.png", 20, 0)
    refused = omnishot("enroll", "staff", f"f={image}", "--model", "models/golden:v1", "--store", staff)
    assert refused.code == 2
    command = re.search(r"`omnishot (.*)`", refused.err)
    assert command
    assert omnishot(*shlex.split(command[1])).out == "galleries/staff:v2\n"
    store = Store(staff)
    before, after = (read_gallery(store.find(f"staff:v{number}")) for number in (1, 2))
    assert after.settings.model.reference == "models/golden:v1"
    assert (before.classes, before.files) == (after.classes, after.files)
    assert (before.digests == after.digests).all()
    known = omnishot("identify", "staff", pictures / "staff" / "e2.png", "--store", staff, "--format", "tsv").out
    assert known.splitlines()[1].split("\t")[4] == "e2"


def test_a_model_that_was_trained_again_under_the_same_reference_is_another(
    omnishot: Cli, staff: Path, pictures: Path
) -> None:
    golden = Path(__file__).parents[1] / "golden" / "v1" / "models" / "golden" / "v1"
    model = next((staff / "models" / "quick").glob("v*"))
    manifest = (golden / "manifest.yaml").read_text().replace("name: golden", "name: quick")
    shutil.rmtree(model)
    shutil.copytree(golden, model)
    (model / "manifest.yaml").write_text(manifest)
    refused = omnishot("identify", "staff", pictures / "staff" / "e1.png", "--store", staff)
    assert refused.code == 2
    assert "not comparable" in refused.err
    assert "--again" in refused.err
    shutil.rmtree(model)  # What is in the box by this name is another one, too.
    gone = omnishot("identify", "staff", pictures / "staff" / "e1.png", "--store", staff)
    assert (gone.code, "--again" in gone.err) == (2, True)


def test_embeddings_only_keeps_no_picture(omnishot: Cli, store: Path, pictures: Path) -> None:
    assert omnishot("enroll", "staff", pictures / "staff", "--embeddings-only", "--store", store).code == 0
    assert read_thumbnails(Store(store).find("staff")) is None
    assert b"PNG" not in (store / "galleries" / "staff" / "v1" / "gallery.h5").read_bytes()
    more = omnishot("enroll", "staff", f"x={pictures / 'later' / 'x5' / '0.png'}", "--store", store)
    assert "keeps no thumbnails" in more.err
    again = omnishot("enroll", "staff", "--again", "--model", "quick", "--store", store)
    assert again.code == 4
    assert "keeps no pictures" in again.err


def test_who_was_removed_and_purged_is_nowhere_in_the_store(omnishot: Cli, staff: Path, pictures: Path) -> None:
    image = pictures / "later" / "x5" / "0.png"
    assert omnishot("enroll", "staff", f"eleanor={image}", "--store", staff).code == 0
    damaged = staff / "galleries" / "staff" / "v1" / "manifest.yaml"
    damaged.chmod(0o644)
    damaged.write_text("eleanor: [")
    done = omnishot("gallery", "remove", "staff", "eleanor", "--store", staff)
    assert done.out == "galleries/staff:v3\n"
    assert "gc --purge staff" in done.err
    assert "eleanor" not in omnishot("gallery", "show", "staff", "--store", staff).out
    would = omnishot("gc", "--purge", "staff", "--dry-run", "--store", staff)
    assert would.out == "galleries/staff:v1\ngalleries/staff:v2\n"
    assert omnishot("gc", "--purge", "staff", "--store", staff).out == would.out
    held = [path for path in staff.rglob("*") if path.is_file() and b"eleanor" in path.read_bytes()]
    assert held == []
    assert omnishot("identify", "staff", pictures / "staff" / "e1.png", "--store", staff).code == 0


def test_nobody_is_left_and_nobody_there_are_said(omnishot: Cli, staff: Path) -> None:
    unknown = omnishot("gallery", "remove", "staff", "e7", "--store", staff)
    assert (unknown.code, "no class 'e7'" in unknown.err) == (4, True)
    everybody = omnishot("gallery", "remove", "staff", *(f"e{i}" for i in range(5)), "--store", staff)
    assert (everybody.code, "not empty" in everybody.err) == (2, True)


def test_a_calibration_says_what_to_expect_and_identify_goes_by_it(
    omnishot: Cli, staff: Path, pictures: Path, tmp_path: Path
) -> None:
    few = omnishot("calibrate", "staff", "--source", pictures / "others", "--store", staff)
    assert few.code == 2
    assert "more of other classes are needed" in few.err
    others = shutil.copytree(pictures / "others", tmp_path / "others")
    shutil.copytree(pictures / "later" / "e0", others / "e0")
    (others / "someone").mkdir()
    shutil.copy(pictures / "staff" / "e1.png", others / "someone")
    done = omnishot("calibrate", "staff", "--source", others, "--accept-strangers", "10%", "--store", staff, "--json")
    assert done.code == 0, done.err
    assert "e0, someone are in the gallery, and left out" in done.err
    values = json.loads(done.out)
    assert values["artifact"] == "galleries/staff:v2"
    calibration = values["calibration"]
    assert (calibration["classes"], calibration["images"], calibration["enrolled"]) == (23, 46, 5)
    for name in ("strangers_accepted", "turned_away", "misnamed"):
        low, high = calibration[name]["ci95"]
        assert 0 <= low <= calibration[name]["share"] <= high <= 1
    answer = json.loads(omnishot("identify", "staff", pictures / "staff" / "e1.png", "--store", staff, "--json").out)
    assert answer["threshold"] == {"value": calibration["threshold"], "rule": "calibrated"}
    more = omnishot("enroll", "staff", f"new={pictures / 'later' / 'x5' / '0.png'}", "--store", staff)
    assert "That was with 5 classes; with 6, up to 1.2 times as many strangers" in more.err


def test_two_images_are_compared_and_called_the_same_only_by_a_threshold(
    omnishot: Cli, staff: Path, pictures: Path
) -> None:
    one, other = pictures / "staff" / "e1.png", pictures / "staff" / "e2.png"
    bare = omnishot("compare", one, one, "--store", staff)
    assert (bare.code, bare.out.startswith("no verdict (score ")) == (0, True)
    assert omnishot("compare", one, one, "--same", "--store", staff).code == 2
    same = json.loads(omnishot("compare", one, one, "--gallery", "staff", "--same", "--store", staff, "--json").out)
    assert (same["verdict"], same["threshold"]["rule"]) == ("same", "provisional")
    different = omnishot("compare", one, other, "--threshold", "1e9", "--same", "--store", staff)
    assert (different.code, different.out.startswith("different (score ")) == (3, True)
    assert omnishot("compare", one, other, "--threshold", "nan", "--store", staff).code == 2
    assert omnishot("identify", "staff", one, "--threshold", "inf", "--store", staff).code == 2
    assert omnishot("compare", one, pictures / "none.png", "--store", staff).code == 4


def test_eval_says_how_often_a_gallery_is_right(omnishot: Cli, staff: Path, pictures: Path) -> None:
    arguments = ("eval", "--gallery", "staff", "--queries", pictures / "later", "--store", staff)
    values = json.loads(omnishot(*arguments, "--json").out)
    assert (values["rank_1"]["images"], values["strangers_accepted"]["images"]) == (5, 4)
    assert values["pixels_rank_1"]["classes"] == 5
    assert 0 <= values["equal_error_rate"] <= 1
    wrong = sum(confusion["images"] for confusion in values["confusions"])
    assert values["rank_1"]["share"] == pytest.approx(1 - wrong / 5)
    assert "rank 1" in omnishot(*arguments).out
    assert omnishot("eval", "--gallery", "staff", "--store", staff).code == 2
    assert omnishot(*arguments, "--ways", "5").code == 2
    strangers = omnishot("eval", "--gallery", "staff", "--queries", pictures / "others", "--store", staff)
    assert (strangers.code, "None of the 23 classes" in strangers.err) == (2, True)


def test_it_answers_while_another_process_enrolls_which_a_third_one_waits_for(
    omnishot: Cli, staff: Path, pictures: Path
) -> None:
    with Store(staff, argv=["omnishot", "enroll", "staff"]).changing("galleries", "staff"):
        assert omnishot("identify", "staff", pictures / "staff" / "e1.png", "--store", staff).code == 0
        words = ("enroll", "staff", f"x={pictures / 'later' / 'x5' / '0.png'}", "--wait-for-lock", "1")
        busy = omnishot(*words, "--store", staff)
    assert (busy.code, "waited 1 seconds for process" in busy.err) == (5, True)


def test_of_eight_who_enroll_at_once_nobody_is_lost(omnishot: Cli, staff: Path, pictures: Path, tmp_path: Path) -> None:
    images = [draw(tmp_path / f"n{i}.png", 10 + i, 0) for i in range(8)]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda image: omnishot("enroll", "staff", image, "--store", staff), images))
    assert [outcome.code for outcome in done] == [0] * 8, [outcome.err for outcome in done]
    assert sorted(outcome.out for outcome in done) == sorted(f"galleries/staff:v{i}\n" for i in range(2, 10))
    newest = read_gallery(Store(staff).find("staff"))
    assert sorted(newest.classes) == sorted([*(f"e{i}" for i in range(5)), *(f"n{i}" for i in range(8))])


def test_what_arrives_in_a_folder_is_identified_by_the_newest_version(
    omnishot: Cli, staff: Path, pictures: Path, tmp_path: Path
) -> None:
    (folder := tmp_path / "incoming").mkdir()
    shutil.copy(pictures / "staff" / "e0.png", folder / "before.png")
    command = [sys.executable, "-m", "omnishot", "identify", "staff", "--watch", str(folder), "--store", str(staff)]
    with subprocess.Popen(
        [*command, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment_with({}),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # Ignored where tests run in the background.
    ) as watching:
        assert watching.stdout
        assert watching.stderr
        assert any("Waiting for images" in line for line in iter(watching.stderr.readline, ""))
        time.sleep(0.5)
        shutil.copy(pictures / "staff" / "e3.png", folder / "first.png")
        first = json.loads(watching.stdout.readline())
        assert (Path(first["image"]).name, first["nearest"][0]["class"]) == ("first.png", "e3")
        new = pictures / "later" / "x5" / "0.png"
        assert omnishot("enroll", "staff", f"late={new}", "--store", staff).code == 0
        os.link(new, folder / "second.png")
        second = json.loads(watching.stdout.readline())
        assert (Path(second["image"]).name, second["nearest"][0]["class"]) == ("second.png", "late")
        watching.send_signal(signal.SIGINT)
        assert watching.wait(60) == 130


def test_a_gallery_is_listed_shown_checked_and_compared_as_other_artifacts(
    omnishot: Cli, staff: Path, pictures: Path
) -> None:
    assert omnishot("enroll", "staff", f"new={pictures / 'later' / 'x5' / '0.png'}", "--store", staff).code == 0
    listed = json.loads(omnishot("gallery", "ls", "--store", staff, "--json").out)
    assert [(row["artifact"], row["classes"]) for row in listed] == [("galleries/staff:v2", 6)]
    assert "galleries/staff:v2" in omnishot("ls", "galleries", "--store", staff).out
    assert "kind: galleries" in omnishot("show", "staff", "--store", staff).out
    assert "e0: e0.png\n" in omnishot("gallery", "show", "staff", "--store", staff).out
    assert "class new: nothing -> 0.png" in omnishot("diff", "staff:v1", "staff:v2", "--store", staff).out
    (staff / "galleries" / "staff" / "v2" / "gallery.h5").chmod(0o644)
    (staff / "galleries" / "staff" / "v2" / "gallery.h5").write_bytes(b"x")
    damaged = omnishot("check", "staff", "--store", staff)
    assert (damaged.code, "of images that are not in the store" in damaged.err) == (4, True)
    assert omnishot("gc", "--purge", "staff", "--store", staff).code == 4  # An earlier one may be wanted now.
    assert omnishot("identify", "staff", pictures / "staff" / "e1.png", "--store", staff).code == 4
    earlier = omnishot("identify", "staff:v1", pictures / "staff" / "e1.png", "--store", staff)
    assert earlier.code == 0
