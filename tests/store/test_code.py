"""What decides an artifact's content is named by kind, and a change of it raises the recipe version or is said."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import omnishot
from omnishot.recognition import gallery_versions
from omnishot.stages import evaluate, prepare, train
from omnishot.store import code
from omnishot.store.code import MODULES, code_digest
from omnishot.vocabulary import KINDS

PACKAGE = Path(omnishot.__file__).parent
STAGES = {
    "images": ("stages/prepare.py",),
    "pairs": ("stages/prepare.py",),
    "models": ("stages/train.py",),
    "evals": ("stages/evaluate.py",),
    "galleries": (
        "recognition/gallery_versions.py",
        "recognition/enrollment.py",
        "recognition/gallery_calibration.py",
    ),
}
"""By kind, the modules from which the walk starts: all that publish it, or make what another one publishes."""

VERSIONS = {
    "images": (prepare._BUILT_IN_RECIPE, prepare._OWN_IMAGES_RECIPE),
    "pairs": tuple(prepare._PAIRS_RECIPES.values()),
    "models": tuple(train._RECIPES.values()),
    "evals": (evaluate._RECIPE,),
    "galleries": (gallery_versions._RECIPE,),
}

PINNED = {
    "images": ((1, 2), "40f638d770443c48ef3060b8ca8940060a81dab2bf13b91c2235d0fc96406ab9"),
    "pairs": ((1, 2), "d4ea11afbc47c9f1dc20b866b5f9c17a176e0af428981044bcef1062706ac735"),
    "models": ((1, 2), "0b5a86bee791c11cc86b7a6bcf590147f9bdf059efd7e7f1b746de3a2df728c6"),
    "evals": ((4,), "c22e86949bad7348e6ad2733be3054dd83c69ed380857b250e94c3af997aa51d"),
    "galleries": ((1,), "8cc1ae6807df0a059047bc0d47517ceacb7dd93049b2c788c49e34e80dc321a1"),
}
"""Recipe versions of a kind, and the digest of its code.

Does a kind's code give other content for equal settings now? Then raise its recipe version, in its stage. Does it give
the same, as after a rename? Then put the new digest here, and say so in the commit.
"""

UNDECIDING = (
    "config/",  # What is chosen is recorded, value by value.
    "data/location.py",
    "data/sources/__init__.py",  # Which source a name means; its name and content are recorded.
    "data/sources/download.py",  # The bytes have a digest.
    "data/sources/kind.py",  # What is chosen by it is recorded.
    "data/sources/no_picture.py",  # Words for what is refused.
    "errors.py",
    "formats/box.py",  # What is said of a model.
    "formats/checkpoint.py",  # A state that is restored is the one that was saved.
    "formats/deferred_errors.py",
    "machine.py",
    "model/cost.py",
    "model/peak.py",
    "naming.py",
    "presets/__init__.py",
    "progress.py",
    "settings_text.py",
    "stages/preparation_notes.py",
    "stages/produce.py",
    "stages/profiler.py",
    "stages/tensorboard.py",
    "stages/training_outcome.py",  # What is said of it, in the manifest and to the user.
    "stages/training_settings.py",
    "store/",
    "strict_yaml.py",
    "formats/torch_file.py",
    "training/state.py",  # As for checkpoints.
    "training/stop_signal.py",
    "training/throughput.py",
    "weights/__init__.py",
    "wording.py",
)
"""What a stage imports and what does not decide what is in the files."""


def imported(name: str) -> Iterator[str]:
    """Yield the modules that one of ours imports, by their files in the package."""
    for node in ast.walk(ast.parse((PACKAGE / name).read_text("utf-8"))):
        found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            found = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for module in found:
            place = module.replace(".", "/").removeprefix("omnishot/")
            for file in (f"{place}.py", f"{place}/__init__.py"):
                if module.startswith("omnishot.") and (PACKAGE / file).exists():
                    yield file


def reached(*names: str) -> set[str]:
    found, left = set[str](), [*names]
    while left:
        if (module := left.pop()) not in found:
            found.add(module)
            left += imported(module)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_module_that_a_stage_reaches_decides_or_is_known_not_to(kind: str) -> None:
    known = {*MODULES[kind], *(name for other in KINDS if STAGES[other] == STAGES[kind] for name in MODULES[other])}
    if kind == "models":  # It takes from them how large images are, which the weights say too.
        known |= {"data/sources/decoding.py", "data/sources/ink.py", "data/sources/photos.py"}
    if kind == "evals":  # It prepares the images of a source, which have a recipe of their own.
        known |= {*MODULES["images"], *MODULES["pairs"]}
    if kind in {"evals", "galleries"}:
        known |= {"formats/history.py", "training/history.py"}
    others = {name for name in reached(*STAGES[kind]) - known if not name.startswith(UNDECIDING)}
    assert {name for name in others if (PACKAGE / name).read_text("utf-8").count("\n") > 1} == set()
    assert [name for name in MODULES[kind] if not (PACKAGE / name).is_file()] == []


def test_the_walk_starts_from_every_module_that_publishes_an_artifact() -> None:
    makes = re.compile(r"(?<!def )\b(produce|publish|publish_version)\(")
    found = {path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    publishing = {name for name, text in found.items() if makes.search(text)}
    assert publishing - {"stages/produce.py"} == {name for names in STAGES.values() for name in names}


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_of_deciding_code_is_pinned_with_its_recipe_version(kind: str) -> None:
    versions, digest = PINNED[kind]
    assert VERSIONS[kind] == versions
    assert code_digest(kind) == digest, f"PINNED[{kind!r}] says what to do; the digest is {code_digest(kind)} now"


def test_an_edit_changes_the_digest_of_what_it_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in {name for names in MODULES.values() for name in names}:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((PACKAGE / name).read_bytes())
    monkeypatch.setattr(code, "files", lambda package: tmp_path)
    code_digest.cache_clear()
    before = {kind: code_digest(kind) for kind in KINDS}
    (tmp_path / "training/loop.py").write_text("# edited\n")
    assert code_digest("models") == before["models"]  # This process runs what it read first.
    code_digest.cache_clear()
    after = {kind: code_digest(kind) for kind in KINDS}
    code_digest.cache_clear()
    assert [kind for kind in KINDS if before[kind] != after[kind]] == ["models"]
