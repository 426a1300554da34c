"""Bytes to frames: each format is recognized by what it contains, never guessed from its name."""
