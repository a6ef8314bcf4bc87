"""Naming what one's own images show: a recogniser, galleries of examples, thresholds."""
