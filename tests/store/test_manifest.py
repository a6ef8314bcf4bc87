"""A manifest reads back as it was written, and what could mislead a reader is refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from omnishot.errors import DamagedFileError
from omnishot.formats.manifest_fields import ImagesFacts, ModelFacts, PairsFacts
from omnishot.store.identity import recipe_id
from omnishot.store.manifest import Manifest, read_manifest
from tests.forging import forged_text

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
MODEL, PAIRS = GOLDEN / "models/golden/v1", GOLDEN / "pairs/golden-20-affine1/v1"
LINES = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | LINES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(LINES, inner, max_size=3),
    max_leaves=6,
)


def changed(tmp_path: Path, **values: Any) -> Path:
    known = yaml.safe_load((MODEL / "manifest.yaml").read_text("utf-8"))
    (tmp_path / "manifest.yaml").write_text(forged_text(known | values), "utf-8")
    return tmp_path


def fitting(**values: Any) -> Manifest:
    """Return the manifest of a model with other values, and a recipe id and a content that fit them."""
    manifest = Manifest(**read_manifest(MODEL).model_dump() | values)
    parents = [parent.recipe for parent in manifest.parents]
    recipe = recipe_id(manifest.kind, 1, manifest.settings, parents, manifest.source)
    return manifest.model_copy(update={"recipe": recipe})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(name="1e3", values={"a": "-.5"}, argv=["\x85", "\u2028", "1e-3", "=", "\x1b"], seconds=1e-5)
@given(
    name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,9}", fullmatch=True),
    values=st.dictionaries(LINES, JSON, max_size=4),
    argv=st.lists(st.text(), max_size=3),
    seconds=st.floats(0, 1e9),
)
@pytest.mark.slow
def test_a_manifest_survives_being_written(
    tmp_path: Path, name: str, values: dict[str, Any], argv: list[str], seconds: float
) -> None:
    manifest = fitting(name=name, settings=values, argv=argv, seconds=seconds)
    (tmp_path / "manifest.yaml").write_text(manifest.as_yaml(), "utf-8")
    assert read_manifest(tmp_path) == manifest


def test_what_comes_twice_is_written_twice_and_bytes_that_are_no_text_are_written_out(tmp_path: Path) -> None:
    twice = {"a": [1, 2]}
    manifest = fitting(settings={"one": twice, "two": twice}, argv=["omnishot", "\udcff"])
    (tmp_path / "manifest.yaml").write_text(manifest.as_yaml(), "utf-8")
    assert read_manifest(tmp_path).settings == {"one": twice, "two": twice}
    assert read_manifest(tmp_path).argv == ["omnishot", "\\udcff"]


FILE = {"sha256": "0" * 64, "size": 1}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"files": {"../../etc/passwd": FILE}}, "cannot name"),
        ({"files": {"/etc/passwd": FILE}}, "cannot name"),
        ({"files": {"": FILE}}, "cannot name"),
        ({"files": {"a": {"sha256": "0" * 64, "size": -1}}}, "files.a.size"),
        ({"files": {"a": {"sha256": "x", "size": 1}}}, "files.a.sha256"),
        ({"parents": [{"reference": "../..", "recipe": "0" * 64}]}, "parents.0.reference"),
        ({"parents": [{"reference": "koch", "recipe": "0" * 64}]}, "lacks its kind"),
        ({"kind": "museums"}, "none of images"),
        ({"name": "x" * 10_000}, "cannot name"),
        ({"name": "a\nb"}, "cannot name"),
        ({"version": 0}, "version"),
        ({"version": True}, "version"),
        ({"created": "yesterday"}, "created"),
        ({"created": "2026-01-31T12:00:00.000000"}, "created"),
        ({"created": "2001-99-99T00:00:00.000000+00:00"}, "created"),
        ({"seconds": float("nan")}, "seconds"),
        ({"environment": {"device": "\x1b[31mcpu"}}, "environment"),
        ({"source": {"name": "x"}}, "a name and a digest"),
        ({"more": 1}, "more"),
    ],
    ids=str,
)
def test_what_could_mislead_is_named(tmp_path: Path, values: dict[str, Any], words: str) -> None:
    with pytest.raises(DamagedFileError) as caught:
        read_manifest(changed(tmp_path, **values))
    assert words in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_a_manifest_that_is_no_file_or_far_too_long_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.yaml").symlink_to("/dev/zero")
    with pytest.raises(DamagedFileError, match="not a regular file"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.yaml").unlink()
    (tmp_path / "manifest.yaml").write_bytes(bytes(16_000_001))
    with pytest.raises(DamagedFileError, match="16,000,000 is the limit"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"settings": {}}, "settings.seed"),
        ({"settings": "x"}, "settings"),
        ({"summary": {"cut_short": 1}}, "cut_short"),
    ],
)
def test_facts_that_are_missing_are_named(tmp_path: Path, values: dict[str, Any], words: str) -> None:
    with pytest.raises(DamagedFileError, match=words):
        ModelFacts.of(read_manifest(changed(tmp_path, **values)))


def test_facts_of_golden_manifests() -> None:
    pairs = PairsFacts.of(read_manifest(PAIRS))
    assert pairs.division[:2] == ("alphabets", "five")
    assert pairs.summary.pairs == {"train": 20, "validation": 10, "test": 10}
    assert ModelFacts.of(read_manifest(MODEL)).settings.twin == "conv4"
    with pytest.raises(DamagedFileError, match="source"):
        ImagesFacts.of(read_manifest(MODEL))
