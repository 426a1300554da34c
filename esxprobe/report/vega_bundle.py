"""What brings the drawn charts to life in the page: their specs as data, and the Vega bundle that reads them."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from esxprobe.errors import UnreadableInputError
from esxprobe.files.reading import content
from esxprobe.files.writing import write
from esxprobe.report.drawing import Drawer

# A bundle has about 1 MB [bytes].
_LARGEST = 16 << 20

BUNDLE = "vega.js"
# What vl-convert-python makes of its own Vega, by release: a cached text that is another one reaches no page. Of a
# release that is not listed the name of the cached file has the sum, which tells damage.
PINNED = {"1.9.0.post1": "373b1f84072b31010f15ceb787be6b415c53936411aae267c8c2b2b6ccde46e7"}
# These would end the element that holds the bundle, change how its end is looked for, or its bytes when it is read.
_NOT_INLINE = ("</script", "<script", "<!--", "\0", "\r")


def numbered(drawings: Mapping[str, str]) -> dict[str, str]:
    """The drawings with their place in `chart_specs` on the svg element: a key may hold any VM's name."""
    numbers = {key: place for place, key in enumerate(key for key, svg in drawings.items() if svg)}
    return {
        key: svg.replace("<svg ", f'<svg data-chart="{numbers[key]}" ', 1) if svg else ""
        for key, svg in drawings.items()
    }


def chart_specs(specs: Mapping[str, dict[str, Any]], drawings: Mapping[str, str]) -> str:
    """The specs of what was drawn, as a JSON list in the order of `numbered`."""
    # Without $schema: it names the release they were written for, and the bundle warns where it has another.
    drawn = [
        {name: part for name, part in specs[key].items() if name != "$schema"}
        for key, drawing in drawings.items()
        if drawing
    ]
    return json.dumps(drawn, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def vega_bundle(drawer: Drawer, templates: Path) -> str:
    """The text of the Vega bundle: from the wheel, from the user's cache, or made now.

    Empty where it cannot be made: a page without it shows the same charts, as they were drawn.
    """
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if text := (templates / BUNDLE).read_text(encoding="utf-8"):
            return text
    release, folder = _cache()
    if text := _kept(release, folder):
        return text
    made = drawer.bundle()
    if any(word in made.lower() for word in _NOT_INLINE):
        return ""
    if made and folder is not None:
        _keep(release, folder, made)
    return made


def _cache() -> tuple[str, Path | None]:
    """The release of the drawing engine, each of which has a bundle of its own, and where this user's lie."""
    import platformdirs

    with contextlib.suppress(PackageNotFoundError, OSError, RuntimeError):
        return version("vl-convert-python"), platformdirs.user_cache_path("esxprobe", appauthor=False)
    return "", None


def _kept(release: str, folder: Path | None) -> str:
    """The cached bundle of a release, where it is there and is what it should be; otherwise nothing."""
    with contextlib.suppress(OSError, UnicodeDecodeError, UnreadableInputError):
        for path in sorted(folder.glob(f"vega-{release}-*.js")) if folder is not None else ():
            found = content(path, _LARGEST)
            wanted = PINNED.get(release) or path.stem.rpartition("-")[2]
            if found and hashlib.sha256(found).hexdigest() == wanted:
                return found.decode()
    return ""


def _keep(release: str, folder: Path, text: str) -> None:
    """Writes the cache in one step; where it cannot be written the next report makes the bundle again."""
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        content = text.encode()
        write(folder / f"vega-{release}-{hashlib.sha256(content).hexdigest()}.js", content)
