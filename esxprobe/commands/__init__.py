"""One thin file per command: options in, a use case called, words out."""
