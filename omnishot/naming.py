"""What an artifact is called unless a name is given: it says what it was made of."""

from omnishot.config import EvalSettings, PrepareSettings, usual_split
from omnishot.wording import short_count


def pairs_name(source_name: str, settings: PrepareSettings) -> str:
    """Return what a pair dataset is called that is given no name."""
    if settings.split == "test-only":
        return f"{as_name(source_name)}-test-only"
    parts = [as_name(source_name), short_count(settings.pairs)]
    if settings.affine:
        parts.append(f"affine{settings.affine}")
    if settings.split != usual_split(source_name):
        parts.append(settings.split + ("-all" if settings.holdout == "none" else ""))
    if settings.negatives == "alphabet":
        parts.append("alphabet-negatives")
    if settings.materialize:
        parts.append("pixels")
    return "-".join(parts)


def as_name(text: str) -> str:
    """Return a text in which everything a name may not hold became a hyphen."""
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._+-") else "-" for letter in text)
    return kept.lstrip("._+-")[:60] or "images"


def evaluation_name(first_model: str | None, settings: EvalSettings, *, source: str | None = None) -> str:
    """Return what an evaluation is called that is given no name.

    Args:
        first_model: Name of the first model, or None where only baselines are measured.
        settings: What is measured.
        source: Name of the images, where they are not those of the models' pair dataset.
    """
    parts = [first_model or "baselines", *([source] if source else []), settings.protocol]
    return "-".join(parts if settings.on == "test" else [*parts, settings.on])
