"""Make the artifacts of the current format version from those of the first: `python tests/golden/make.py FOLDER`.

The files are the same; what is said of them, and the evaluation, are those of the program that runs.
"""

import shutil
import sys
from pathlib import Path

from omnishot.config import EvalSettings
from omnishot.stages.evaluate import evaluate
from omnishot.store.artifact import Artifact
from omnishot.store.recipe import Recipe
from omnishot.store.store import Store

FIRST = Path(__file__).parent / "v1"


def publish_again(store: Store, known: Artifact, *parents: Artifact) -> Artifact:
    """Publish the files of an artifact under its name, made from other parents."""
    manifest = known.manifest
    recipe = Recipe(
        manifest.kind, 1, manifest.settings, [parent.as_parent() for parent in parents], source=manifest.source
    )
    with store.producing(recipe), store.publish(recipe, manifest.name) as staging:
        for name in manifest.files:
            shutil.copyfile(known.path / name, staging.path / name)
        staging.summary |= manifest.summary
        staging.environment |= manifest.environment
    if staging.published is None:
        raise RuntimeError("publish ended without an artifact")
    return staging.published


def main(folder: Path) -> None:
    """Fill a store."""
    first, store = Store(FIRST), Store(folder, argv=["omnishot", "golden"])
    images = publish_again(store, first.find("images/golden"))
    pairs = publish_again(store, first.find("pairs/golden-20-affine1"), images)
    model = publish_again(store, first.find("models/golden"), pairs)
    publish_again(store, first.find("galleries/golden"), model)
    asked = EvalSettings(
        protocol="lake", ways=(2, 4), baselines=("nearest-neighbour", "hausdorff", "random"), trials=400
    )
    evaluate(store, [model], pairs, asked, name="golden-lake", device="cpu")
    for name in (".locks", ".staging"):
        shutil.rmtree(folder / name, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
