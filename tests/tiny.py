"""Settings with which a stage takes a second, for tests of its files and its words, and not of its accuracy."""

SMALL = ["--pairs", "60", "--affine", "0"]
"""Options of `omnishot prepare`."""

CHANGES = ["epochs=1", "objective.batches_per_epoch=1", "objective.classes_per_batch=10", "validation_trials=20"]
"""What makes a training with the preset `quick` one step long."""


def setting(*changes: str) -> list[str]:
    """Return changes of settings as options of `omnishot train`; the last one of a setting counts."""
    return [part for change in changes for part in ("--set", change)]


TRAIN = ["--preset", "quick", "--device", "cpu", *setting(*CHANGES)]
"""Options of `omnishot train` and `omnishot run`."""
