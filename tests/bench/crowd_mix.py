"""What the crowd runs: every command, with options that keep each run at about a second."""

from blots import TRAIN

SEARCH = ["--preset", "koch35", "--device", "cpu", "--set", "objective.batch_size=20"]
SEARCH += ["--set", "epochs=1", "--set", "validation_trials=20"]
"""Options of `omnishot tune`."""

WEIGHTS = {"prepare": 3, "train": 4, "eval": 4, "report": 2, "figure": 2, "gc": 2, "check": 2}
"""How much oftener than once some commands are chosen."""


def commands(source: str, out: str) -> dict[str, list[list[str]]]:
    """Return by name what may be run; a word in braces is drawn anew for each run."""
    prepare = ["prepare", "--source", source, "--pairs", "{pairs}", "--affine", "{affine}", "--seed", "{seed}"]
    train = ["train", *TRAIN, "--set", "seed={seed}", "--name", "m{name}", "--checkpoint-every", "1"]
    trials = ["--ways", "2", "--trials", "20", "--seed", "{seed}"]
    return {
        "prepare": [
            [*prepare, "--name", "p{name}", "--json"],
            [*prepare, "--name", "p{name}", "--materialize", "--json"],
            [*prepare, "--force", "--json"],
        ],
        "train": [
            [*train, "--json"],
            [*train, "--resume", "--json"],
            [*train, "--force", "--json"],
            [*train, "--init-from", "m{name}", "--json"],
        ],
        "eval": [
            ["eval", *trials, "--json"],
            ["eval", "m{name}", *trials, "--name", "e{name}", "--json"],
            ["eval", "m{name}", *trials, "--protocol", "between", "--force", "--json"],
            ["eval", "--protocol", "verification", "--json"],
        ],
        "run": [["run", "--source", source, "--pairs", "20", "--affine", "0", *TRAIN, "--json"]],
        "report": [
            ["report", "--json"],
            ["report", "--out", f"{out}.html"],
            ["report", "--out", f"{out}.md", "--fail-under", "2-way=0.999"],
        ],
        "figure": [
            ["figure", drawing, "--out", f"{out}.svg"]
            for drawing in ("trials", "filters", "activations", "pairs", "curves", "embedding")
        ],
        "tune": [["tune", *SEARCH, "--trials", "1", "--study", f"{out}-{{seed}}{{affine}}.journal"]],
        "ls": [["ls", "--json"], ["ls"]],
        "show": [["show", "{kind}/{newest}", "--pictures"], ["show", "m{name}", "--json"]],
        "diff": [["diff", "models/m{name}", "m{name}"], ["diff", "e{name}", "e{name}", "--tolerance", "accuracy=1"]],
        "check": [["check", "--all"], ["check", "--json"], ["check", "p{name}"]],
        "gc": [["gc", "--keep", "1"], ["gc", "--keep", "2", "--unfinished"], ["gc", "--keep", "1", "--dry-run"]],
        "presets": [["presets", "quick"]],
        "doctor": [["doctor"]],
    }
