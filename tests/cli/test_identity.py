"""What cannot be read, or is not what it was, is said by every command that it matters to."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from omnishot.errors import DamagedFileError
from omnishot.maintenance.check import check_artifacts
from omnishot.maintenance.garbage_collection import clean
from omnishot.reporting.results import choose_evaluations
from omnishot.store.code import code_digest
from omnishot.store.identity import sealed
from omnishot.store.order import note_newest
from omnishot.store.reference import Reference
from omnishot.store.store import Store
from omnishot.vocabulary import KINDS
from tests.tiny import TRAIN

GOLDEN = Path(__file__).parents[1] / "golden" / "v2"
PAIRS, MODEL, EVALUATION = "pairs/golden-20-affine1/v1", "models/golden/v1", "evals/golden-lake/v1"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """One artifact of each kind, each made from the one before it."""
    return Path(shutil.copytree(GOLDEN, tmp_path / "artifacts"))


def manifest_of(store: Path, place: str, content: bytes = b"") -> Path:
    """Give an artifact, or one that is not there yet, a manifest that cannot be read."""
    path = store / place / "manifest.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.chmod(0o644)
    path.write_bytes(content)
    return path


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(b"created") + 20] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("place", "command"),
    [
        (MODEL, ["eval"]),
        (MODEL, ["eval", "--baselines", "nearest-neighbour"]),
        (MODEL, ["figure", "filters", "--out", "x.svg"]),
        (MODEL, ["show", "models/golden", "--no-pictures"]),
        (PAIRS, ["train"]),
        (PAIRS, ["eval"]),
        (PAIRS, ["eval", "golden"]),
        (EVALUATION, ["report"]),
        (EVALUATION, ["report", "--fail-under", "2-way=0"]),
        (EVALUATION, ["figure", "trials", "--out", "x.svg"]),
        (EVALUATION, ["diff", "golden-lake", "golden-lake", "--tolerance", "accuracy=0.1"]),
        ("evals/other/v1", ["report", "--fail-under", "2-way=0"]),
        ("evals/other/v1", ["report", "--out", "report.html"]),
        ("evals/other/v1", ["figure", "trials", "golden", "--out", "x.svg"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_what_cannot_be_read_is_named_with_exit_code_4(
    omnishot: Any, store: Path, tmp_path: Path, place: str, command: list[str]
) -> None:
    path = manifest_of(store, place)
    command = [str(tmp_path / word) if word.endswith((".svg", ".html")) else word for word in command]
    outcome = omnishot(*command, "--store", store)
    assert outcome.code == 4, outcome.err
    assert f"{path} is damaged: it is empty" in outcome.err
    assert outcome.out == ""


@pytest.mark.parametrize(("kind", "command"), [("pairs", "train"), ("models", "eval"), ("evals", "report")])
def test_without_a_note_what_cannot_be_read_may_be_the_newest(
    omnishot: Any, store: Path, kind: str, command: str
) -> None:
    path = manifest_of(store, f"{kind}/newer/v1", (store / PAIRS / "manifest.yaml").read_bytes()[:-1])
    (store / kind / ".current").unlink()
    outcome = omnishot(command, "--store", store)
    assert outcome.code == 4
    assert str(path) in outcome.err


def test_where_it_could_not_have_mattered_the_rest_goes_on(omnishot: Any, store: Path) -> None:
    path = manifest_of(store, "evals/other/v1")
    assert omnishot("report", "golden-lake", "--fail-under", "2-way=0", "--store", store).code == 0
    listed = omnishot("ls", "--store", store)
    assert listed.code == 0
    assert str(path) in listed.err
    assert "evals/other:v1" in listed.out
    checked = omnishot("check", "--all", "--store", store)
    assert (checked.code, checked.out.count("sound")) == (4, 5)


def test_a_lineage_says_what_of_it_cannot_be_read(omnishot: Any, store: Path) -> None:
    path = manifest_of(store, PAIRS)
    outcome = omnishot("show", "models/golden", "--no-pictures", "--store", store)
    assert f"  - pairs/golden-20-affine1:v1  # cannot be read: {path} is damaged" in outcome.out


def test_a_page_without_what_it_was_made_from_is_written_and_ends_with_4(
    omnishot: Any, store: Path, tmp_path: Path
) -> None:
    path = manifest_of(store, PAIRS)
    outcome = omnishot("report", "--out", tmp_path / "report.html", "--store", store)
    assert outcome.code == 4
    assert str(path) in outcome.err


@pytest.mark.parametrize("place", ["images/golden/v1", PAIRS, MODEL, EVALUATION])
def test_a_flipped_bit_in_a_manifest_is_no_longer_sound(omnishot: Any, store: Path, place: str) -> None:
    flip(store / place / "manifest.yaml")
    outcome = omnishot("check", "--all", "--store", store)
    assert outcome.code == 4
    assert f"{store / place}/manifest.yaml is damaged: " in outcome.err


def test_a_flipped_bit_in_a_note_is_found_by_a_check(omnishot: Any, store: Path) -> None:
    note = store / "models" / ".current"
    note.write_text(note.read_text().replace("v1", "v3"))
    for arguments in (["check"], ["check", "--all"], ["gc", "--keep", "1"]):
        outcome = omnishot(*arguments, "--store", store)
        assert outcome.code == 4
        assert f"{note} is damaged" in outcome.err


def test_gc_keeps_what_an_unreadable_artifact_may_need_and_says_so(omnishot: Any, store: Path) -> None:
    for seed in (0, 1):
        command = ["train", "golden-20-affine1", *TRAIN, "--name", "other", "--set", f"seed={seed}"]
        assert omnishot(*command, "--store", store).code == 0
    path = manifest_of(store, "evals/other/v1")
    kept = omnishot("gc", "--keep", "1", "--json", "--store", store)
    assert (kept.code, json.loads(kept.out)["removed"]) == (0, [])
    assert f"{path} is damaged: it is empty" in kept.err
    assert "What it may have been made from stays." in kept.err
    shutil.rmtree(path.parent)
    assert json.loads(omnishot("gc", "--keep", "1", "--json", "--store", store).out)["removed"] == ["models/other:v1"]


def test_a_model_that_was_removed_and_trained_again_is_measured_again(omnishot: Any, store: Path) -> None:
    def follow(*command: str) -> dict[str, Any]:
        outcome = omnishot(*command, "--json", "--store", store)
        assert outcome.code == 0, outcome.err
        answer: dict[str, Any] = json.loads(outcome.out)
        return answer

    train = ["train", "golden-20-affine1", *TRAIN]
    measure = ["eval", "quick", "--protocol", "within", "--ways", "2", "--trials", "20"]
    follow(*train)
    first = follow(*measure)
    assert follow(*measure)["reused"]
    shutil.rmtree(store / "models/quick")
    follow(*train)
    again = follow(*measure)
    assert not again["reused"]
    shown = json.loads(omnishot("report", "--format", "json", "--store", store).out)
    assert {row["evaluation"] for row in shown["results"] if row["model"] == "models/quick:v1"} == {again["artifact"]}
    assert first["artifact"] != again["artifact"]


def test_doctor_prints_the_digest_of_the_code_of_every_stage(omnishot: Any, store: Path) -> None:
    outcome = omnishot("doctor", "--json", "--store", store)
    assert json.loads(outcome.out)["code"] == {kind: code_digest(kind) for kind in KINDS}
    assert f"models {code_digest('models')[:12]}" in omnishot("doctor", "--store", store).out


def unreadable(store: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the system refuse to list a folder, as it does to all but root where its mode is 000."""
    listed = Path.iterdir

    def refuse(path: Path) -> Any:
        if path == store / place:
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", refuse)


def dead(store: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a link to a disk that is not mounted in the place of a folder."""
    del monkeypatch
    path = store / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        shutil.rmtree(path)
    path.symlink_to(store.parent / "not mounted")


@pytest.mark.parametrize(
    ("hide", "place"),
    [
        (unreadable, "evals"),
        (unreadable, "evals/golden-lake"),
        (dead, "evals"),
        (dead, "evals/worse"),
        (dead, "evals/worse/v1"),
    ],
)
def test_what_cannot_be_listed_fails_every_command_that_it_may_matter_to(
    store: Path, monkeypatch: pytest.MonkeyPatch, hide: Any, place: str
) -> None:
    hide(store, place, monkeypatch)
    found = Store(store)
    with pytest.raises(DamagedFileError, match=place):
        choose_evaluations(found, [])
    checked = check_artifacts(found, None, everything=True)
    assert any(place in item.problem for item in checked)
    damaged: dict[Path, DamagedFileError] = {}
    found.artifacts(damaged=damaged)
    assert any(place in str(error) for error in damaged.values())
    assert found.has("evals")
    with pytest.raises(DamagedFileError, match=place):
        found.find((*place.split("/"), "golden-lake")[1], "evals")


@pytest.mark.parametrize("place", ["models/new", "models/new/v1", "models"])
def test_a_newest_artifact_on_a_disk_that_is_not_mounted_is_not_passed_over(
    omnishot: Any, store: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    note_newest(store, Reference("models", "new", 1), is_new=True)
    dead(store, place, monkeypatch)
    outcome = omnishot("eval", "--store", store)
    assert outcome.code == 4
    assert str(store / place) in outcome.err


@pytest.mark.parametrize("place", ["evals", "evals/golden-lake"])
def test_gc_keeps_what_anything_in_a_folder_that_cannot_be_listed_may_need(
    store: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    shutil.rmtree(store / "galleries")
    second = shutil.copytree(store / "models/golden/v1", store / "models/golden/v2")
    rewritten = (second / "manifest.yaml").read_text().partition("digest: ")[0].replace("version: 1", "version: 2", 1)
    (second / "manifest.yaml").chmod(0o644)
    (second / "manifest.yaml").write_text(sealed(rewritten))
    note_newest(store, Reference("models", "golden", 2), is_new=True)
    unreadable(store, place, monkeypatch)
    cleaned = clean(Store(store), 1, dry_run=True)
    assert cleaned.removed == ()
    assert [str(store / place) in str(error) for error in cleaned.unreadable] == [True]
    monkeypatch.undo()
    shutil.rmtree(store / "evals")
    assert [str(artifact.reference) for artifact in clean(Store(store), 1).removed] == ["models/golden:v1"]
