"""Packed data in a page: the JSON document, the data of the charts and the code that draws them are most of it.

A packed part is base64 of zlib-compressed UTF-8 in a script element that nothing runs. The script of the page
unpacks it when it is needed (`DecompressionStream`). docs/python.md shows how to do it elsewhere.
"""

from __future__ import annotations

import base64
import re
import zlib

TYPE = "application/zlib+base64"
# The same of bytes that are not text: numbers of series.
BYTES_TYPE = "application/zlib-bytes+base64"
_PARTS = re.compile(
    rf'(?P<tag><script type="{re.escape(TYPE)}" id="(?P<id>[a-z]+)"[^>]*>)(?P<content>[\w+/=]*)(?=</script>)'
)
_BYTES = re.compile(
    rf'(?P<tag><script type="{re.escape(BYTES_TYPE)}" id="(?P<id>[a-z]+-\d+)">)(?P<content>[\w+/=]*)(?=</script>)'
)
# A report holds less than this; a page with more was not made by esxprobe [bytes].
_LARGEST = 1 << 30


def packed(text: str) -> str:
    """A text as a script element may carry it, whatever is in it.

    Args:
        text: Any text.
    """
    return base64.b64encode(zlib.compress(text.encode())).decode()


def unpacked(page: str) -> str:
    """A page with its packed parts as text, for whoever searches it: not a page that a browser can show.

    Parts of bytes are left out: there are numbers in them, and no names.

    Args:
        page: HTML of ours.

    Raises:
        zlib.error: a part is damaged, or has more than 1 GB.
    """
    return _PARTS.sub(lambda part: part["tag"] + _text(part["content"]), _BYTES.sub(r"\g<tag>", page))


def part_of(page: str, element: str) -> str:
    """One packed part as text.

    Args:
        page: HTML of ours.
        element: Id of its script element.

    Raises:
        KeyError: the page has no such part.
        zlib.error: it is damaged, or has more than 1 GB.
    """
    return _text({part["id"]: part["content"] for part in _PARTS.finditer(page)}[element])


def bytes_of(page: str, element: str) -> list[bytes]:
    """The packed parts of bytes whose ids begin so and end in -0, -1, ..., in this order, as they are packed.

    Args:
        page: HTML of ours.
        element: What the ids begin with.
    """
    found = [part for part in _BYTES.finditer(page) if part["id"].rpartition("-")[0] == element]
    ordered = sorted(found, key=lambda part: int(part["id"].rpartition("-")[2]))
    return [base64.b64decode(part["content"]) for part in ordered]


def _text(content: str) -> str:
    reader = zlib.decompressobj()
    text = reader.decompress(base64.b64decode(content), _LARGEST)
    if not reader.eof:
        raise zlib.error("a packed part of the page is damaged or too large")
    return text.decode()
