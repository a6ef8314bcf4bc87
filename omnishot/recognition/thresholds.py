"""What a gallery's threshold promises, in words; and what it promised once its classes have changed."""

import shlex
from collections.abc import Iterator

from omnishot.formats.gallery import Calibration, Gallery, Provisional, Rate
from omnishot.wording import counted, interval, percent

_FEWEST_EXAMPLES = 10
"""Fewer show nothing of how the similarities are distributed."""


def rule_of(gallery: Gallery) -> str:
    """Return in a word where the threshold of a gallery is from."""
    settings = gallery.settings
    return "calibrated" if settings.calibration else "provisional" if settings.provisional else "none"


def threshold_notes(gallery: Gallery, name: str) -> Iterator[str]:
    """Yield what to expect of a gallery's threshold, one sentence each.

    Args:
        gallery: The gallery.
        name: What it is called.
    """
    calibration, provisional = gallery.settings.calibration, gallery.settings.provisional
    if calibration:
        yield from expected(calibration, gallery, name)
    elif provisional:
        yield f"The threshold {provisional.threshold:.3f} is provisional: {_said_of_provisional(provisional)}"
        yield f"`omnishot calibrate {name} --source OTHERS` measures both, on images of others"
    else:
        yield (
            "There is no threshold: one class alone has no other to be compared with, so that everybody is unknown. "
            "Enroll others, or give --threshold"
        )


def _said_of_provisional(provisional: Provisional) -> str:
    """Return what a provisional threshold is, and what it promises, which may be nothing."""
    usual = provisional.mean + 2 * provisional.deviation
    rule = "the mean and 2 standard deviations of how similar each example is to its nearest other class"
    if provisional.threshold < usual:
        return (
            f"just below what an enrolled image scores with itself, as {rule} ({usual:.3f}) are above that, and nobody "
            "would be known. How many strangers are accepted and how many known ones turned away is not known"
        )
    if provisional.examples < _FEWEST_EXAMPLES:
        return (
            f"{rule}. {counted(provisional.examples, 'example')} are too few to tell how many strangers are accepted; "
            "how many known ones it turns away is not known either, and may be most"
        )
    return (
        f"{rule}. Of strangers who resemble the enrolled as those do each other, about 2 in 100 are accepted; how many "
        "known ones it turns away is not known, and may be most"
    )


def said_of_earlier_gallery(gallery: Gallery, name: str) -> Iterator[str]:
    """Yield that the calibration is of what was enrolled earlier, where it is, with the command that repeats it."""
    calibration = gallery.settings.calibration
    if calibration is None:
        return
    if calibration.enrolled_digest is None:
        is_earlier = calibration.enrolled != len(gallery.classes)
    else:
        is_earlier = calibration.enrolled_digest != gallery.enrolled_digest
    if not is_earlier:
        return
    share = f"{100 * calibration.accept_strangers:.12g}%"
    source = shlex.quote(calibration.source)
    yield (
        "The calibration is of an earlier gallery, as classes or examples have changed since; "
        f"`omnishot calibrate {name} --source {source} --accept-strangers {share}` calibrates again"
    )


def expected(calibration: Calibration, gallery: Gallery, name: str) -> Iterator[str]:
    """Yield what a calibration has measured, and what has changed since, one sentence each."""
    earlier, n_classes = said_of_earlier_gallery(gallery, name), len(gallery.classes)
    yield (
        f"The threshold {calibration.threshold:.3f} was calibrated on {counted(calibration.images, 'image')} of "
        f"{counted(calibration.classes, 'class')} that are not in the gallery ({calibration.source}). Expected: "
        f"strangers accepted {in_words(calibration.strangers_accepted)} "
        f"({percent(calibration.accept_strangers)} was asked for)"
        f"{''.join(f'. {sentence}' for sentence in earlier)}"
    )
    if calibration.turned_away and calibration.misnamed:
        yield (
            f"Expected of known ones: turned away {in_words(calibration.turned_away)}, "
            f"misnamed {in_words(calibration.misnamed)}"
        )
    else:
        yield "How many known ones are turned away is not known: no other class has two images"
    if n_classes != calibration.enrolled:
        times = f"up to {n_classes / calibration.enrolled:.2g} times as many strangers are accepted"
        change = times if n_classes > calibration.enrolled else "fewer strangers are accepted"
        yield (f"That was with {counted(calibration.enrolled, 'class')}; with {n_classes:,}, {change}")


def in_words(rate: Rate) -> str:
    """Return a rate with its interval and what it was measured on."""
    return (
        f"{percent(rate.share)} ({interval(rate.ci95)}, {counted(rate.images, 'image')} of "
        f"{counted(rate.classes, 'class')})"
    )
