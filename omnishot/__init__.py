"""One-shot image recognition: fit a Siamese network on pairs, recognise new classes from one example each."""
