"""Names from elsewhere (hosts, VMs) as names of files: readable, distinct, and never a way out of the folder."""

from __future__ import annotations

import hashlib
import re

_LONGEST = 60


def safe_name(text: str) -> str:
    """Makes one plain file name out of any text.

    Letters, digits, `.`, `_` and `-` of ASCII stay. Where anything had to be changed, a few digits of the
    text's sha256 follow, so that two texts never meet in one name.
    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("._-")[:_LONGEST].rstrip("._-")
    if plain and plain == text:
        return plain
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain}_{digest}" if plain else digest
