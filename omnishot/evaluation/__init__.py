"""What a network is worth: embeddings, one-shot trials, verification, baselines and intervals."""
