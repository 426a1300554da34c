"""`python -m esxprobe` does what the `esxprobe` command does."""

from esxprobe.commands.app import main

main()
