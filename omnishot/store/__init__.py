"""The mechanism on disk: artifacts that are whole or do not exist, their identity, locks and leftovers."""
