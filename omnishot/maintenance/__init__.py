"""Upkeep: is everything sound, what can go, why do two artifacts differ, what does this machine offer."""
