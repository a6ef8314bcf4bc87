"""How a network is evaluated: embeddings, one-shot trials, verification, baselines and intervals."""
