"""What brings the drawn charts to life in the page: their specs as data, and the Vega bundle that reads them."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from esxprobe.report.drawing import Drawer

BUNDLE = "vega.js"
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
    cached = _cache()
    for path in (templates / BUNDLE, cached):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if path is not None and (text := path.read_text(encoding="utf-8")):
                return text
    made = drawer.bundle()
    if any(word in made.lower() for word in _NOT_INLINE):
        return ""
    if made and cached is not None:
        _keep(cached, made)
    return made


def _cache() -> Path | None:
    """Where this user's bundle lies: another release of the drawing engine has another bundle."""
    import platformdirs

    with contextlib.suppress(PackageNotFoundError, OSError, RuntimeError):
        return platformdirs.user_cache_path("esxprobe", appauthor=False) / f"vega-{version('vl-convert-python')}.js"
    return None


def _keep(path: Path, text: str) -> None:
    """Writes the cache in one step; where it cannot be written the next report makes the bundle again."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8", newline="\n")
        partial.replace(path)
