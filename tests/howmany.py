"""How many examples Hypothesis makes up where each of them takes long: few in each run, more in `make bench`."""

import os


def examples(few: int) -> int:
    """So many, and ten times as many with ESXPROBE_EXAMPLES=thorough."""
    return 10 * few if os.environ.get("ESXPROBE_EXAMPLES") == "thorough" else few
