"""Artifacts in, pictures out: what a network does, drawn for the page and for `figure`."""
