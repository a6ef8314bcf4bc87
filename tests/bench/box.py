"""Put a trained model into the box: half precision, measured, with its card. For maintainers.

    python tests/bench/box.py quick:v1 --name quick --store STORE --commit COMMIT
    python tests/bench/box.py quick:v1 --name quick --store STORE --commit COMMIT --note "max_minutes=30, as ..."

The model, its pair dataset and its images have to be in the store. It is measured there as `omnishot eval` does, on
Lake's runs and on 10,000 `within` trials of the split's test alphabets, 5-way and 20-way, beside the model in single
precision, on the same trials: the bench says by how much they differ, and ends with 1 where it is more than 0.1 points.
Then the folder `omnishot/weights/models/omnishot-NAME/vN` is written: `manifest.yaml`,
`weights.safetensors` (float16), `config.yaml`, `history.jsonl` and `card.md`.
"""

import argparse
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from omnishot.config import EvalSettings
from omnishot.formats.box import BoxFacts
from omnishot.formats.evaluation import Result, read_summary
from omnishot.formats.manifest_fields import ImagesFacts
from omnishot.formats.trained_on import trained_on
from omnishot.recognition.card import box_card
from omnishot.recognition.loading import load
from omnishot.stages.evaluate import evaluate
from omnishot.store.artifact import Artifact
from omnishot.store.box import boxed_name
from omnishot.store.digests import Digests
from omnishot.store.identity import content_of
from omnishot.store.manifest import FILE_NAME, FileEntry, file_digest
from omnishot.store.store import Store
from omnishot.vocabulary import BOX_MODELS
from omnishot.weights import box_folder

MEASUREMENTS = (
    EvalSettings(protocol="lake", ways=(20,), baselines=()),
    EvalSettings(protocol="within", ways=(5, 20), trials=10_000, baselines=()),
)
MOST_DIFFERENCE = 0.001
COPIED = ("config.yaml", "history.jsonl")


def halved(model: Artifact, folder: Path) -> None:
    """Write a model's files with its weights in half precision."""
    weights = load_file(model.file("weights.safetensors"))
    half = {name: tensor.half() if tensor.dtype == torch.float32 else tensor for name, tensor in weights.items()}
    save_file(half, folder / "weights.safetensors")
    for name in COPIED:
        shutil.copyfile(model.file(name), folder / name)


def described(model: Artifact, folder: Path, name: str, facts: BoxFacts) -> Artifact:
    """Write the manifest of a folder's files, and return the artifact."""
    files = sorted(path for path in folder.iterdir() if path.name != FILE_NAME)
    entries = {path.name: FileEntry(sha256=file_digest(path), size=path.stat().st_size) for path in files}
    content = content_of({path: entry.sha256 for path, entry in entries.items()})
    manifest = model.manifest.model_copy(
        update={
            "name": boxed_name(name),
            "version": int(folder.name[1:]),
            "files": entries,
            "content": None if model.manifest.format == 1 else content,
            "summary": {**model.manifest.summary, "box": facts.as_written()},
            "argv": ["omnishot", *model.manifest.argv[1:]],
        }
    )
    (folder / FILE_NAME).write_text(manifest.as_yaml(), "utf-8")
    return Artifact.read(folder, Digests())


def measured(store: Store, boxed: Artifact, model: Artifact, pairs: Artifact) -> tuple[list[Result], float]:
    """Return the accuracies of a model in the box, and the largest difference from the other one's."""
    results, differences = [], []
    for settings in MEASUREMENTS:
        made = evaluate(store, [boxed, model], pairs, settings, device="cpu", force=True)
        summary = read_summary(made.artifact.file("summary.json"))
        results += [result for result in summary.results if result.model == str(boxed.reference)]
        for comparison in summary.comparisons:
            differences.append(abs(comparison.difference))
            print(f"{settings.protocol} {comparison.ways}-way: {comparison.difference:+.4%} in single precision")
    return results, max(differences)


def data_digest(store: Store, pairs: Artifact) -> str:
    """Return the content digest of the source behind a pair dataset."""
    parent = pairs.manifest.parent("images")
    images = store.parent(parent) if parent else None
    if images is None:
        sys.exit(f"The images of {pairs.reference} are not in the store.")
    return ImagesFacts.of(images.manifest).source["digest"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="reference of the model in the store")
    parser.add_argument("--name", required=True, choices=BOX_MODELS, help="what it is called in the box")
    parser.add_argument("--version", type=int, default=1, help="raised whenever the weights of a release change")
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--commit", required=True, help="commit of omnishot that trained it")
    parser.add_argument("--note", default="", help="what was done otherwise than the preset says, for the card")
    given = parser.parse_args()
    store = Store(given.store, argv=sys.argv, tell=print)
    model = store.find(given.model, "models")
    parent = model.manifest.parent("pairs")
    pairs = store.parent(parent) if parent else None
    if pairs is None:
        sys.exit(f"The pair dataset of {model.reference} is not in the store.")
    folder = box_folder() / "models" / boxed_name(given.name) / f"v{given.version}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    halved(model, folder)
    facts = BoxFacts(
        trained_on=trained_on(store, model),
        data_digest=data_digest(store, pairs),
        commit=given.commit,
        note=given.note,
        results=(),
    )
    results, difference = measured(store, described(model, folder, given.name, facts), model, pairs)
    facts = facts.model_copy(update={"results": tuple(results)})
    boxed = described(model, folder, given.name, facts)
    card = box_card(load(folder, device="cpu"), boxed, given.name)
    (folder / "card.md").write_text(card, "utf-8")
    boxed = described(model, folder, given.name, facts)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{boxed.reference}: {size / 1e6:.2f} MB in {folder}")
    sys.exit(difference > MOST_DIFFERENCE)


if __name__ == "__main__":
    main()
