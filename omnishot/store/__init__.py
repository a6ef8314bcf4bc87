"""The mechanism on disk: artifacts that are complete or do not exist, their identity, locks and leftovers."""
