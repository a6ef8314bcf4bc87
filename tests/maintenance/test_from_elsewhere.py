"""What somebody gave us is looked at without harm: through no link, in bounded time and memory."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from omnishot.errors import NotFoundError
from omnishot.maintenance.from_elsewhere import Guest, check_from_elsewhere
from omnishot.store.manifest import file_digest
from omnishot.vocabulary import KINDS

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
PAIRS = "pairs/golden-20-affine1/v1"

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copied = shutil.copytree(GOLDEN, tmp_path / "given")
    for path in copied.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return copied


def problems(folder: Path) -> dict[str, str]:
    return {guest.name: guest.problem for guest in check_from_elsewhere(folder) if guest.problem}


def test_sound_artifacts_are_safe_alone_and_together(folder: Path) -> None:
    assert check_from_elsewhere(folder) == [
        Guest(f"{place.parent.parent.name}/{place.parent.name}:v1", place)
        for kind in KINDS
        for place in (folder / kind).glob("*/v1")
    ]
    (alone,) = check_from_elsewhere(folder / PAIRS)
    assert (alone.name, alone.problem) == ("pairs/golden-20-affine1:v1", "")


def replace_by(make: Callable[[Path], Any]) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.unlink()
        make(path)

    return change


def extend(path: Path) -> None:
    os.truncate(path, 1 << 43)  # Ext4 has no room for 16 TiB.


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("pairs.h5", replace_by(lambda path: path.symlink_to("/dev/zero")), "pairs.h5 is a link"),
        ("pairs.h5", replace_by(os.mkfifo), "pairs.h5 is a pipe or a device"),
        ("pairs.h5", replace_by(lambda path: path.mkdir()), "pairs.h5 is a folder"),
        ("pairs.h5", extend, "has 8,796,093,022,208 bytes, but its manifest says"),
        ("pairs.h5", lambda path: path.write_bytes(path.read_bytes()[:-1] + b"x"), "another SHA-256"),
        ("manifest.yaml", replace_by(lambda path: path.symlink_to("/dev/zero")), "manifest.yaml is a link"),
        ("manifest.yaml", replace_by(os.mkfifo), "manifest.yaml is a pipe"),
        ("manifest.yaml", extend, "manifest.yaml has"),
        ("more.sh", lambda path: path.write_text("rm -r ~"), "more.sh, of which its manifest says nothing"),
    ],
)
def test_what_is_wrong_with_one_is_said_and_the_others_are_safe(
    folder: Path, name: str, change: Callable[[Path], Any], words: str
) -> None:
    change(folder / PAIRS / name)
    found = problems(folder)
    assert list(found) == ["pairs/golden-20-affine1:v1"]
    assert words in found["pairs/golden-20-affine1:v1"]


def test_an_artifact_that_claims_to_be_another_is_not_safe(folder: Path) -> None:
    (folder / "pairs" / "golden-20-affine1").rename(folder / "pairs" / "other")
    assert "which belongs elsewhere" in problems(folder)["pairs/other:v1"]


@pytest.mark.parametrize("place", ["pairs", "pairs/golden-20-affine1", PAIRS])
def test_folders_behind_links_are_not_looked_into(folder: Path, tmp_path: Path, place: str) -> None:
    (folder / place).rename(tmp_path / "elsewhere")
    (folder / place).symlink_to(tmp_path / "elsewhere")
    (problem,) = problems(folder).values()
    assert "is no folder" in problem


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (replace_by(lambda path: path.symlink_to("/dev/zero")), "it is no file"),
        (replace_by(os.mkfifo), "it is no file"),
        (lambda path: path.write_text("--profile=~/.bashrc\n"), "is damaged"),
        (lambda path: path.write_text("models/golden:v1"), "none of the pairs"),
    ],
)
def test_a_note_of_the_newest_that_is_none_is_not_safe(folder: Path, change: Callable[[Path], Any], words: str) -> None:
    change(folder / "pairs" / ".current")
    found = problems(folder)
    assert list(found) == ["pairs/.current"]
    assert words in found["pairs/.current"]


def test_digests_that_are_right_do_not_make_content_safe(folder: Path) -> None:
    place = next((folder / "evals").glob("*/v1"))
    summary = json.loads((place / "summary.json").read_text("utf-8"))
    summary["results"][0]["protocol"] = "--profile=~/.bashrc"
    (place / "summary.json").write_text(json.dumps(summary), "utf-8")
    manifest = yaml.safe_load((place / "manifest.yaml").read_text("utf-8"))
    path = place / "summary.json"
    manifest["files"]["summary.json"] = {"sha256": file_digest(path), "size": path.stat().st_size}
    (place / "manifest.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False), "utf-8")
    (problem,) = problems(folder).values()
    assert "results.0.protocol" in problem


def test_a_folder_without_artifacts_is_said_to_hold_none(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There are no artifacts"):
        check_from_elsewhere(tmp_path)
    with pytest.raises(NotFoundError, match="There is no folder"):
        check_from_elsewhere(tmp_path / "nowhere")


def test_the_command_prints_a_line_for_each_and_ends_with_4_where_one_is_not_safe(omnishot: Any, folder: Path) -> None:
    done = omnishot("check", "--from-elsewhere", folder)
    assert done.code == 0, done.err
    assert [line.split()[0] for line in done.out.splitlines()] == ["safe"] * 5
    (folder / PAIRS / "pairs.h5").write_bytes(b"")
    done = omnishot("check", "--from-elsewhere", folder)
    assert done.code == 4
    assert sorted(line.split()[0] for line in done.out.splitlines()) == ["safe"] * 4 + ["wrong"]
    assert omnishot("check", "--from-elsewhere", folder, "--all").code == 2
    rows = json.loads(omnishot("check", "--from-elsewhere", folder, "--json").out)
    assert [row["artifact"] for row in rows if row["wrong"]] == ["pairs/golden-20-affine1:v1"]


def test_what_is_too_much_to_be_looked_at_is_not_safe(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omnishot.maintenance.from_elsewhere._MOST_ENTRIES", 5)
    for number in range(5):
        (folder / PAIRS / f"more{number}").touch()
    assert "holds more than 5 files and folders" in problems(folder / PAIRS)["v1"]
