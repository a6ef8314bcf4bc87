"""The part of the page that shows what a network does: pictures, what they mean, and what is lacking for them."""

from omnishot.config import EvalSettings
from omnishot.progress import OnProgress
from omnishot.reporting.page.figures import ways_to_measure
from omnishot.reporting.page.html import Command, Section
from omnishot.reporting.page.subject import Reported
from omnishot.reporting.pictures.all_of_a_model import INSIDE, RANKINGS, TRIALS, pictures_of

_EXPLAINED = {
    TRIALS: "The trial of median margin: neither among the easy ones nor among the hard. A score is what the network "
    "says of two images, and only compares with other scores: the higher, the more alike. The margin is the score of "
    "the right character over that of the best wrong one.",
    RANKINGS: "The mistakes with the largest margin, and the successes with the smallest.",
    INSIDE: "What the first layer looks for, what every layer responds to in one image, where the images of one "
    "alphabet lie, and the variants of a training pair. In the map a line leads from each image to the middle of its "
    "character, and the colours only tell neighbours apart.",
}


def pictured_sections(subject: Reported, on_progress: OnProgress) -> list[Section]:
    """Return what there is to see of the network that was measured last.

    Args:
        subject: Of the page.
        on_progress: Receives progress.
    """
    drawn = dict(pictures_of(subject.store, subject.evaluations[::-1], on_progress))
    sections = [Section(title, text=(_EXPLAINED[title],), pictures=tuple(drawn[title])) for title in drawn]
    if absent := [title for title in _EXPLAINED if title not in drawn and subject.models]:
        settings = EvalSettings(ways=ways_to_measure(subject, "test"))
        what = "cannot be drawn: they need one-shot trials, and the network and its pair dataset in the store"
        line = subject.eval_line(subject.models[0], settings)
        missing = (Command(f"{'; '.join(absent)}: {what}. To make what is lacking:", line),)
        sections.append(Section("More pictures", missing=missing))
    return sections
