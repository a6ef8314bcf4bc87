"""Images of one's own named by a network that has never seen their classes."""
