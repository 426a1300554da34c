"""Puts the Vega bundle into the wheel, so that the first report of an installed esxprobe need not make it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class VegaBundle(BuildHookInterface[Any]):
    """Makes `esxprobe/templates/vega.js` while a wheel is built; a checkout makes its own (`report/life.py`)."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds the bundle to the files of the wheel; without one, reports make it when they need it."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        try:
            from esxprobe.report.drawing import make_bundle  # noqa: PLC0415

            text = make_bundle()
        except (ImportError, AttributeError, ValueError) as error:
            self.app.display_warning(f"the wheel gets no Vega bundle: {error}")
            return
        finally:
            sys.path.remove(self.root)
        self._folder = tempfile.TemporaryDirectory(prefix="esxprobe-vega-")
        made = Path(self._folder.name) / "vega.js"
        made.write_text(text, encoding="utf-8", newline="\n")
        build_data["force_include"][str(made)] = "esxprobe/templates/vega.js"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Removes what was only made to be packed."""
        if hasattr(self, "_folder"):
            self._folder.cleanup()
