"""Tables as text that goes elsewhere: markdown for pages, TSV and JSON without loss for programs."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from omnishot.reporting.published import MNIST, TWENTY_WAY, VERIFICATION
from omnishot.reporting.results import Measured
from omnishot.reporting.tables import Table

_COLUMNS = (
    "model", "protocol", "on", "ways", "shots", "trials", "questions", "correct", "accuracy", "ci95_low", "ci95_high",
    "alphabets", "threshold", "equal_error_rate", "data", "source", "seed", "device", "evaluation", "trained_on",
    "against", "difference", "difference_low", "difference_high", "mcnemar_p",
)  # fmt: skip

_MARKS = re.compile(r"[\\`*_\[\]<>|~&$#]")
"""What markdown, or GitHub's, would take for more than a letter."""


def as_markdown(tables: Sequence[Table]) -> str:
    """Return tables as GitHub-flavoured markdown; our own networks are bold."""
    return "\n\n".join(_markdown(table) for table in tables) + "\n"


def _markdown(table: Table) -> str:
    numeric = table.numeric
    rule = ["---:" if i in numeric else "---" for i in range(len(table.columns))]
    lines = [f"### {_plain(table.title)}", "", _line(map(_plain, table.columns)), _line(rule)]
    for number, row in enumerate(table.rows):
        cells = [_plain(cell) for cell in row]
        lines.append(_line([f"**{cell}**" if cell else "" for cell in cells] if number in table.emphasised else cells))
    return "\n".join([*lines, *[f"\n{_plain(note)}" for note in table.notes]])


def _plain(text: str) -> str:
    """Return a text as markdown that shows it as it is, on one line, whatever names it holds."""
    return _MARKS.sub(r"\\\g<0>", " ".join(text.split()))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def as_json(measured: Sequence[Measured]) -> str:
    """Return every result, and the published ones with their sources, as one JSON object."""
    verification = [
        {"method": "Koch et al. 2015", "pairs": pairs, "affine": affine, "accuracy": accuracy, "source": "table 1"}
        for (pairs, affine), accuracy in VERIFICATION.items()
    ]
    listed = {"20-way": TWENTY_WAY, "mnist 10-way": MNIST}
    published: dict[str, object] = {name: [asdict(result) for result in results] for name, results in listed.items()}
    published["verification"] = verification
    rows = []
    for item in measured:
        paired = item.paired.model_dump(include={"against", "difference", "ci95", "mcnemar_p"}) if item.paired else None
        rows.append({**_values(item), "paired": paired})
    return json.dumps({"results": rows, "published": published}, indent=1, allow_nan=False) + "\n"


def as_tsv(measured: Sequence[Measured]) -> str:
    """Return every result as one line of tab-separated values under a heading; numbers are not rounded."""
    lines = ["\t".join(_COLUMNS)]
    for item in measured:
        values = _values(item)
        values["ci95_low"], values["ci95_high"] = values.pop("ci95")
        values["trained_on"] = json.dumps(values["trained_on"], sort_keys=True)
        if item.paired:
            low, high = item.paired.ci95
            values |= {"against": item.paired.against, "difference": item.paired.difference}
            values |= {"difference_low": low, "difference_high": high, "mcnemar_p": item.paired.mcnemar_p}
        lines.append("\t".join("" if values.get(name) is None else str(values[name]) for name in _COLUMNS))
    return "\n".join(lines) + "\n"


def _values(item: Measured) -> dict[str, Any]:
    """Return a result with what its evaluation says of it, by the names of JSON."""
    context = {name: getattr(item, name) for name in ("data", "source", "seed", "device", "evaluation")}
    trained_on = item.trained_on.as_written() if item.trained_on else {}
    return {**asdict(item.result), **context, "trained_on": trained_on}
