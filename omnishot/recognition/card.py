"""Model cards: what a trained network is, how it was measured, and what it is not good for, in Markdown."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from omnishot.formats.box import BoxFacts
from omnishot.formats.evaluation import Result, TrainedOn, read_summary
from omnishot.recognition.recognizer import Recognizer
from omnishot.store.artifact import Artifact
from omnishot.store.box import is_boxed
from omnishot.store.remake import command_of
from omnishot.store.store import Store
from omnishot.wording import interval, percent

_ABOUT = {
    "drawing": (
        "- It compares drawings in ink on a plain ground. It was not made for photographs.",
        "- Omniglot's drawers drew with a mouse, one character at a time, in 50 alphabets: other hands, pens and "
        "scripts differ.",
        "- It was not made to tell people apart by their handwriting, nor tested for that.",
    ),
    "photo": (
        "- It compares photographs by what a network learnt of ImageNet's 1,000 kinds of things. It was not made for "
        "drawings.",
        "- It was not made to tell people apart by their faces, nor tested for that.",
    ),
}
"""By what a network looks at, what it is not good for."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """Results of a network, as far as they are known.

    Attributes:
        trained_on: What it was trained on, or None where nobody says.
        results: Its accuracies.
    """

    trained_on: TrainedOn | None
    results: tuple[Result, ...]


def measured_in_store(store: Store, model: Artifact) -> Measurement:
    """Return what the evaluations of a store say of a model, the later one where two measured the same.

    A model in the box brings its own results.
    """
    if is_boxed(model):
        facts = BoxFacts.of(model.manifest)
        return Measurement(facts.trained_on, facts.results)
    trained_on, results = None, {}
    for evaluation in store.artifacts("evals"):
        if model.as_parent() not in evaluation.manifest.parents:
            continue
        summary = read_summary(evaluation.file("summary.json"))
        trained_on = summary.models.get(str(model.reference), trained_on)
        for row in summary.results:
            if row.model == str(model.reference):
                results[summary.data, row.protocol, row.on, row.ways, row.shots, row.trials] = row
    return Measurement(trained_on, tuple(results.values()))


def exported_card(recognizer: Recognizer, artifact: Artifact | None, measurement: Measurement) -> str:
    """Return the card of a network that is exported, from a store or from a file that was."""
    if artifact is None:
        return _card(f"Model card: {recognizer.name}", recognizer, measurement, [f"- From `{recognizer.name}`."])
    made = artifact.manifest
    words = [f"Exported from `{made.reference}`, made {made.created[:10]}", *_versions(artifact)]
    provenance = [f"- {', '.join(words)}.", *_command(artifact), f"- Recipe: `{made.recipe}`"]
    return _card(f"Model card: {made.name}", recognizer, measurement, provenance)


def box_card(recognizer: Recognizer, artifact: Artifact, name: str) -> str:
    """Return the card of a model in the box."""
    facts, made = BoxFacts.of(artifact.manifest), artifact.manifest
    data = facts.trained_on
    prepare = f"omnishot prepare --split {data.split} --holdout {data.holdout}"
    provenance = [
        f"- In the box of omnishot as `{name}`, `{made.reference}`; `omnishot eval {name}` measures it.",
        f"- {', '.join([f'Trained {made.created[:10]} at commit {facts.commit}', *_versions(artifact)])}.",
        f"- Commands: `{prepare}`, then `{shlex.join(made.argv)}`; one training, seed {data.seed}.",
        *([f"- {facts.note}"] if facts.note else []),
        f"- Content digest of the images: `{facts.data_digest}`",
        "- Weights are stored in half precision; the results below are of these.",
        f"- The other results: `{prepare}`, then `omnishot eval {name} --protocol within --ways 5,20 --trials 10000`.",
        "- Licence: MIT, as omnishot. Omniglot is by Brenden Lake, under the MIT licence.",
    ]
    return _card(f"Model card: {name}", recognizer, Measurement(facts.trained_on, facts.results), provenance)


def _command(artifact: Artifact) -> list[str]:
    line = command_of(artifact.path.parents[2], artifact.manifest)
    return [f"- Command: `{line}`"] if line else []


def _versions(artifact: Artifact) -> Iterable[str]:
    environment = artifact.manifest.environment
    return [
        f"{name} {environment[name]}" for name in ("omnishot", "torch", "device", "precision") if environment.get(name)
    ]


def _card(title: str, recognizer: Recognizer, measurement: Measurement, provenance: Sequence[str]) -> str:
    trained_on = measurement.trained_on.in_words if measurement.trained_on else "what the command below says"
    return "\n".join(
        [
            f"# {title}",
            "",
            f"A Siamese network for one-shot recognition: it turns a {recognizer.preparation} into a vector, and two "
            "vectors into a similarity, for classes it has never seen.",
            "",
            f"- Trained on {trained_on}.",
            f"- Vectors: {recognizer.dimensions} numbers. Similarity: {recognizer.similarity_in_words}.",
            f"- Preparation: {recognizer.preparation_in_words}.",
            f"- Digest of weights, preparation and similarity: `{recognizer.digest}`",
            "",
            "## Results",
            "",
            *_table(measurement.results),
            "",
            "## Where it comes from",
            "",
            *provenance,
            "",
            "## Limits",
            "",
            '- A similarity ranks; it is no probability. A threshold for "the same" holds for the images it was '
            "calibrated on.",
            *_ABOUT[recognizer.preparation],
            "",
        ]
    )


def _table(results: Sequence[Result]) -> list[str]:
    if not results:
        return ["Not measured: there is no evaluation of it in the store."]
    lines = [
        "| protocol | on | task | accuracy | 95 % interval | right | trials | alphabets |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in results:
        task = f"{row.ways}-way {row.shots}-shot" if row.ways else "same or different"
        accuracy = percent(row.accuracy, decimals=2)
        lines.append(
            f"| {row.protocol} | {row.on} | {task} | {accuracy} | {interval(row.ci95)} | {row.correct:,} | "
            f"{row.trials:,} | {row.alphabets} |"
        )
    return [
        *lines,
        "",
        "Images as they are in their data set, without the preparation. `lake`: Lake's 20 official runs; `within`: one "
        "alphabet, two drawers.",
        "Intervals are of the trials alone, not of trainings: another seed differs too.",
    ]
