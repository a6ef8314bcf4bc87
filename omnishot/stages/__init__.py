"""The verbs: each takes artifacts and settings and makes one artifact."""
