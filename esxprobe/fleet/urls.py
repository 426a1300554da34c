"""URLs of captures, and how they may be shown."""

from __future__ import annotations


def is_url(word: str) -> bool:
    """Whether a word is a URL and no path."""
    return "://" in word


def shown(source: str) -> str:
    """A source without what must not be shown: the password and the query of a URL."""
    if not is_url(source):
        return source
    scheme, _, rest = source.partition("://")
    place, slash, path = rest.partition("?")[0].partition("/")
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path}"
