"""What README, the guides and the formats point at is there: files, headings and the modules that answer a question."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("examples/*.md")), ROOT / "omnishot" / "formats" / "FORMATS.md"]
LINKS = [
    pytest.param(document, link, id=f"{document.name}: {link}")
    for document in DOCUMENTS
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text("utf-8"))
    if not link.startswith("https:")
]
PATHS = [
    pytest.param(document, path, id=f"{document.name}: {path}")
    for document in DOCUMENTS
    if document.name != "LOG.md"  # It says what was so on a day.
    for path in re.findall(r"`((?:omnishot|tests|examples)/[\w./-]+)`", document.read_text("utf-8"))
]
MOST_BYTES = 6000


def anchor(heading: str) -> str:
    """Return what a heading is called in a link, as GitHub has it."""
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize(("document", "link"), LINKS)
def test_a_link_leads_somewhere(document: Path, link: str) -> None:
    path, _, place = link.partition("#")
    target = document.parent / path if path else document
    assert target.exists()
    if place:
        assert place in {
            anchor(heading) for heading in re.findall(r"^#+ (.*)", target.read_text("utf-8"), re.MULTILINE)
        }


@pytest.mark.parametrize(("document", "path"), PATHS)
def test_a_path_in_a_document_exists(document: Path, path: str) -> None:
    assert (ROOT / path).exists()


def test_readme_is_short_and_links_every_guide() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert len(readme.encode()) <= MOST_BYTES
    for guide in ROOT.glob("examples/*.md"):
        assert f"](examples/{guide.name})" in readme


def test_a_guide_says_at_once_for_whom_it_is() -> None:
    for guide in ROOT.glob("examples/*.md"):
        if guide.name != "LOG.md":
            assert guide.read_text("utf-8").split("\n\n")[1].startswith("For whoever ")


def test_architecture_names_every_package() -> None:
    named = (ROOT / "examples" / "architecture.md").read_text("utf-8")
    for package in (path.parent.name for path in ROOT.glob("omnishot/*/__init__.py")):
        assert f"| `{package}/` |" in named
