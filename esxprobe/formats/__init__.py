"""Bytes to frames: each format is recognised by what it contains, never guessed from its name."""
