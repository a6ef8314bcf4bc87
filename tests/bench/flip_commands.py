"""What makes the store whose bits are flipped, and the commands that are run on it."""

from dataclasses import dataclass

from blots import TRAIN

FIGURES = "trials", "embedding", "activations", "curves", "pairs"


@dataclass(frozen=True)
class Command:
    """A command to run, whether it goes on at damage, and with which share of the flips, as some take seconds."""

    arguments: list[str]
    lists: bool = False
    share: float = 1

    @property
    def name(self) -> str:
        return " ".join(word for word in self.arguments if not word.startswith(("/", "--set")) and "=" not in word)


def making(pictures: str) -> list[list[str]]:
    """Return the commands that make the store: of each kind at least two, so that one may be taken for another."""
    prepare, trials = ["prepare", "--source", pictures, "--pairs", "40"], ["--trials", "20", "--ways", "2"]
    return [
        [*prepare, "--affine", "1", "--name", "data"],
        [*prepare, "--affine", "1", "--seed", "1", "--name", "other"],
        ["train", "data", *TRAIN, "--name", "one"],
        ["train", "data", *TRAIN, "--set", "seed=1", "--name", "two"],
        ["eval", "one", *trials, "--name", "of-one"],
        ["eval", "one", *trials, "--seed", "1", "--name", "of-one"],
        ["eval", "one", "--protocol", "verification", "--name", "same-of-one"],
        ["eval", "two", *trials, "--name", "of-two"],
    ]


def commands(pictures: str, out: str, kinds: list[str]) -> list[Command]:
    """Return the commands to run on the damaged store; `kinds` are those that it holds."""
    pairs_again, other_pairs, model_again, other_model, evaluation_again = (
        [*making(pictures)[i], "--json"] for i in (0, 1, 2, 3, 4)
    )
    new_trials = ["--trials", "30", "--ways", "3", "--json"]
    return [
        Command(pairs_again),
        Command([*other_pairs, "--seed", "2"]),
        Command(model_again),
        Command([*other_model, "--set", "seed=2"], share=0.3),
        Command([*other_model, "--init-from", "one"], share=0.3),
        Command(evaluation_again),
        Command(["eval", *new_trials]),
        Command(["eval", "one", "two", *new_trials]),
        Command(["eval", "--protocol", "verification", "--json"]),
        Command(["report", "--json"]),
        Command(["report", "--fail-under", "2-way=0.999", "--json"]),
        Command(["report", "--out", f"{out}.html"], share=0.04),
        *(Command(["figure", what, "--out", f"{out}.svg"], share=0.2) for what in FIGURES),
        Command(["figure", "filters", "one", "two", "--out", f"{out}.svg"], share=0.2),
        Command(["diff", "models/one", "models/two", "--json"]),
        Command(["diff", "of-one:v1", "of-two", "--tolerance", "accuracy=1"]),
        Command(["check", "--json"], lists=True),
        Command(["check", "--all", "--json"], lists=True),
        Command(["ls", "--json"], lists=True),
        *(Command(["show", reference, "--pictures"], lists=True) for reference in shown(kinds)),
        Command(["gc", "--keep", "1", "--json"], lists=True),
    ]


def shown(kinds: list[str]) -> list[str]:
    """Return a reference of each kind; those that are not known here are called as their kind."""
    known = {"pairs": "pairs/data", "models": "models/one", "evals": "evals/of-one", "images": "images/pictures"}
    return [known.get(kind, f"{kind}/{kind}") for kind in kinds]
