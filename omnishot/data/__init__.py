"""Images with their labels, and what is drawn from them: splits, pairs, episodes, affine variants."""
