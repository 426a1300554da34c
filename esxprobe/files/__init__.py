"""Doors to the disk: how files of strangers are opened, and how ours come to be. No other module does either."""
