"""How answers are printed: a line an image, as text, as tab-separated values or as JSON."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from omnishot.cli.console import Console
from omnishot.cli.streams import say_error
from omnishot.wording import visible

if TYPE_CHECKING:
    from omnishot.recognition.identification import Answer, Threshold

UNREAD = "not read"


class AnswerPrinter:
    """Prints answers as they come, and counts them.

    Attributes:
        threshold: What decides now.
        n_unknown: How many images were unknown.
        unread: Images that could not be read.
    """

    def __init__(
        self,
        console: Console,
        threshold: "Threshold",
        style: Literal["text", "tsv"],
        *,
        n_ranked: int,
        is_endless: bool,
    ) -> None:
        """Take the console, and how answers are printed.

        Args:
            console: Where.
            threshold: What decides.
            style: text or tsv; a console for JSON gets that instead.
            n_ranked: How many classes each answer names.
            is_endless: Whether there is no last answer: then each one is a JSON object of its own.
        """
        self.threshold, self.n_unknown = threshold, 0
        self.unread: list[str] = []
        self._console, self._style, self._n_ranked, self._is_endless = console, style, n_ranked, is_endless
        self._rows: list[dict[str, object]] = []
        if style == "tsv" and not console.as_json:
            ranks = [f"{what}_{number}" for number in range(1, n_ranked + 1) for what in ("class", "score")]
            self._console.text("\t".join(["image", "name", "score", "threshold", *ranks]) + "\n")

    def print(self, answers: Iterable["Answer"]) -> None:
        """Print answers, each as soon as it is there; why an image could not be read goes to stderr."""
        for answer in answers:
            if answer.problem:
                self.unread.append(answer.image)
                say_error(answer.problem)
            elif answer.name is None:
                self.n_unknown += 1
            if not self._console.as_json:
                self._console.text((self._tsv if self._style == "tsv" else self._text)(answer) + "\n")
            elif self._is_endless:
                self._console.text(json.dumps(self._values(answer)) + "\n")
            else:
                self._rows.append(self._values(answer))

    def end(self, gallery: str) -> None:
        """Print what has waited for the last answer: the one JSON object."""
        if self._console.as_json and not self._is_endless:
            threshold = {"value": self.threshold.value, "rule": self.threshold.rule}
            values = {"gallery": gallery, "threshold": threshold, "images": self._rows}
            self._console.text(json.dumps(values) + "\n")

    def _values(self, answer: "Answer") -> dict[str, object]:
        nearest = [{"class": name, "score": score} for name, score in answer.nearest]
        return {
            "image": answer.image,
            "name": answer.name,
            "score": answer.nearest[0][1] if answer.nearest else None,
            "threshold": self.threshold.value,
            "nearest": nearest,
            "problem": str(answer.problem) if answer.problem else None,
        }

    def _tsv(self, answer: "Answer") -> str:
        """Return cells from which every number can be read back as it was."""
        threshold = "" if self.threshold.value is None else repr(self.threshold.value)
        ranked = [cell for name, score in answer.nearest for cell in (name, repr(score))]
        ranked += [""] * (2 * self._n_ranked - len(ranked))
        score = repr(answer.nearest[0][1]) if answer.nearest else ""
        cells = [answer.image, "" if answer.problem else answer.name or "unknown", score, threshold, *ranked]
        return "\t".join(visible(cell, one_line=True) for cell in cells)

    def _text(self, answer: "Answer") -> str:
        if answer.problem:
            return f"{visible(answer.image, one_line=True)}: {UNREAD}"
        (best, score), *others = answer.nearest
        decides = "no threshold" if self.threshold.value is None else f"threshold {self.threshold.value:.3f}"
        words = [f"score {score:.3f}, {decides}"]
        if answer.name is None:
            words.append(f"nearest {best}")
        words += [f"then {', '.join(f'{name} {value:.3f}' for name, value in others)}"] if others else []
        line = f"{answer.image}: {answer.name or 'unknown'} ({'; '.join(words)})"
        return visible(line, one_line=True)
