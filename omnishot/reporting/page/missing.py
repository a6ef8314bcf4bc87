"""What a page lacks, as a section says it, with the command that makes it; no other module writes such commands.

`lacking` is a sentence without its full stop, and `model` a reference, by default of the first model of the page.
"""

from collections.abc import Sequence

from omnishot.config import EvalSettings, PrepareSettings
from omnishot.errors import DamagedFileError, OmnishotError, SettingsError, brief
from omnishot.formats.evaluation import TrainedOn
from omnishot.formats.manifest_fields import PairsFacts
from omnishot.presets import preset_names
from omnishot.reporting.page.html import Command
from omnishot.reporting.page.subject import Subject
from omnishot.reporting.results import Measured
from omnishot.settings_text import check
from omnishot.store.artifact import Artifact
from omnishot.store.reference import parse
from omnishot.store.remake import command_line, command_of, evaluation_words, prepare_words
from omnishot.vocabulary import BUILT_IN_SOURCES

_WAYS = 20


def nothing(lacking: str) -> Command:
    """Return what is lacking where another section says how to get it."""
    return Command(f"{lacking}.", "")


def not_drawn(what: str, error: OmnishotError) -> Command:
    """Return that a picture cannot be drawn, with what the error says of it and of the next thing to try."""
    said = f"{what} cannot be drawn: {error}. {error.hint}".strip()
    return Command(said, "", is_damage=isinstance(error, DamagedFileError))


def to_train(subject: Subject, lacking: str) -> Command:
    """Return what is lacking as there is no network, with the commands that train and measure one."""
    root = subject.store.root
    return Command(f"{lacking}. To train one:", command_line(root, "train") + " &&\n" + command_line(root, "eval"))


def to_measure(
    subject: Subject,
    lacking: str,
    settings: EvalSettings,
    *,
    model: str | None = None,
    source: str | None = None,
    aim: str = "To measure it",
) -> Command:
    """Return what is lacking with the command that measures it, after those that make what it needs.

    A `source` is given for other images than those of the model's pair dataset.
    """
    model = model or subject.first_model
    steps = list(_steps_before(subject, model))
    words = ([model] if model else []) + (["--source", source] if source else [])
    steps.append(command_line(subject.store.root, "eval", *words, *evaluation_words(settings)))
    return Command(f"{lacking}. {aim}:", " &&\n".join(steps))


def to_verify(subject: Subject, lacking: str, *, model: str | None = None) -> Command:
    """Return what is lacking with the command that measures verification, which needs images that are held out."""
    model = model or subject.first_model
    training = subject.trained_on(model) if model else None
    if training and training.source and not training.validation_alphabets:
        why = "its threshold needs images that are held out, but this split holds none"
        line = command_line(subject.store.root, "run", "--split", "koch")
        return Command(f"{lacking}, as {why}. To train and measure with one that does:", line)
    return to_measure(subject, lacking, EvalSettings(protocol="verification", ways=(), baselines=()), model=model)


def to_restore(subject: Subject, reference: str, consequence: str = "") -> Command:
    """Return that a model, a pair dataset or images are gone, with a command that makes such again.

    `consequence` is what is lacking without them, in words that follow `no longer in the store`.
    """
    what = f"{brief(reference)} is no longer in the store{consequence}. To make it again:"
    if reference.startswith("models/"):
        return Command(what, _train_line(subject, reference))
    known = [item.trained_on for item in subject.measured if item.trained_on]
    mine = (training for training in known if training.pairs == reference)
    return Command(what, _prepare_line(subject, next(mine, known[0] if known else None)))


def to_repeat(
    subject: Subject, artifact: Artifact, lacking: str, *, error: OmnishotError | None = None, force: bool = False
) -> Command:
    """Return what is lacking of an artifact, with the command that made it, and why, where reading it failed."""
    verb = "train" if artifact.manifest.kind == "models" else "measure"
    line = command_of(subject.store.root, artifact.manifest)
    why = f": {error}" if error else ""
    is_damage = isinstance(error, DamagedFileError)
    line = f"{line} --force" if line and force else line
    return Command(f"{lacking}{why}. {_leading(line, f'To {verb} it again')}", line, is_damage=is_damage)


def _leading(line: str, aim: str) -> str:
    """Return what leads to a command line, or that there is none."""
    return f"{aim}:" if line else "It was made with settings of another version of omnishot."


def to_vary(subject: Subject, pairs: Artifact) -> Command:
    """Return that a pair dataset has no affine variants, with the command that makes one like it that has."""
    manifest, affine = pairs.manifest, PrepareSettings().affine
    changed = {"name": f"{manifest.name}-affine{affine}", "settings": {**manifest.settings, "affine": affine}}
    line = command_of(subject.store.root, manifest.model_copy(update=changed))
    lacking = f"{pairs.reference} has no affine variants, so that a training pair is shown as drawn"
    return Command(f"{lacking}. {_leading(line, 'To make a dataset with variants')}", line)


def not_from_scratch(subject: Subject, artifact: Artifact, what: str) -> Command:
    """Return that an artifact, called `what`, cannot be made in an empty folder, with what makes it where it is."""
    lacking = (
        f"{what}. In an empty folder it cannot be made: something that it descends from is no longer in the store, or "
        "has settings of another version of omnishot."
    )
    line = command_of(subject.store.root, artifact.manifest)
    return Command(f"{lacking} Where all of that is there:" if line else lacking, line)


def ways_to_measure(subject: Subject, part: str) -> tuple[int, ...]:
    """Return as many ways as the alphabets of a part allow, at most 20."""
    most, model = _WAYS, subject.artifact(subject.first_model) if subject.first_model else None
    data = subject.made_from(model, "pairs") if model else None
    if data:
        most = min(most, PairsFacts.of(data.manifest).summary.largest_alphabet.get(part, most))
    return tuple(range(1, max(1, most) + 1))


def same_trials(subject: Subject, sweep: Sequence[Measured], on: str) -> EvalSettings:
    """Return what measures the trials of a sweep, or such trials on another part, without baselines."""
    result, most = sweep[0].result, max(ways_to_measure(subject, on))
    ways = sorted({item.result.ways for item in sweep if item.result.ways and item.result.ways <= most})
    values = {"protocol": result.protocol, "on": on, "ways": ways or [most], "shots": result.shots}
    values |= {"trials": result.trials, "seed": sweep[0].seed, "baselines": []}
    return check(EvalSettings, values, origin=sweep[0].evaluation)


def _steps_before(subject: Subject, model: str | None) -> list[str]:
    """Return the commands that make a model and its pair dataset, where the store lacks them."""
    if model is None:
        return [command_line(subject.store.root, "train")]
    steps, found, training = [], subject.artifact(model), subject.trained_on(model)
    pairs = training.pairs if training else None
    if not (subject.made_from(found, "pairs") if found else pairs and subject.artifact(pairs)):
        steps.append(_prepare_line(subject, training))
    if not found:
        steps.append(_train_line(subject, model))
    return steps


def _prepare_line(subject: Subject, training: TrainedOn | None) -> str:
    """Return the command that makes a pair dataset again, as far as the evaluations know it."""
    if training is None or not training.describes_pairs:
        return command_line(subject.store.root, "prepare")
    source = training.source if training.source in BUILT_IN_SOURCES else "PATH"
    values = {
        "split": training.split,
        "holdout": training.holdout,
        "affine": training.affine,
        "pairs": training.train_pairs,
    }
    try:
        settings = check(PrepareSettings, values, origin=training.pairs or "pairs")
    except SettingsError:  # Another version's.
        return command_line(subject.store.root, "prepare", "--source", source)
    return command_line(subject.store.root, "prepare", "--source", source, *prepare_words(settings, training.source))


def _train_line(subject: Subject, model: str) -> str:
    """Return a command that makes a model of that name again; its settings are known no more."""
    training, name = subject.trained_on(model), parse(model).name
    words = [training.pairs] if training and training.pairs else []
    words += ["--preset", name] if name in preset_names() else ["--name", name]
    words += ["--set", f"seed={training.seed}"] if training and training.seed else []
    return command_line(subject.store.root, "train", *words)
