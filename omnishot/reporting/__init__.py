"""Evaluations in; tables, pictures and the page out; never imported by a stage."""
