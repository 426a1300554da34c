"""Draws charts to static SVG in a process of its own, without a browser or a network.

The drawing engine takes most of a second to start and holds the interpreter lock while it works, so
a thread would stop the reading of the capture. A child process started first is warm when the first
chart comes, and one that dies of a chart takes no report with it. Where no child can be started the
charts are drawn here.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Any

_WARM_UP = {"data": {"values": [{"a": 1}]}, "mark": "point", "encoding": {"x": {"field": "a"}}}
# A spec is an object; this is the one question that is none.
_BUNDLE = "bundle"
_SIZE = re.compile(r'width="[\d.]+" height="[\d.]+" (?=viewBox)')
_PLACES = re.compile(r'(?<= d=")[^"]+(?=")|(?<=transform=")translate\([^"()]+\)(?=")|(?<= [xy][12]=")[^"]+(?=")')
_LONG = re.compile(r"-?\d+\.\d\d+(?:e-?\d+)?")
# Defaults, and roles inside a drawing that screen readers get in words.
_NEEDLESS = re.compile(
    r' (?:opacity="1"|role="graphics-[a-z]+"|aria-roledescription="[^"]*"|xmlns:xlink="[^"]*")(?=[ />])'
)
# Frames of axes and legends with nothing in them.
_EMPTY = re.compile(r'<path class="(?:back|fore)ground"[^>]*? d="(?:M0,0h0v0h0Z)?"[^>]*/>')
_CELL = r'<path d="(M[^"]*)" (fill="rgba\([^"]*\)" stroke-width="0")/>'
_CELLS = re.compile(rf"(?:{_CELL.replace('(M', '(?:M').replace('(fill', '(?:fill')}){{2,}}")


@dataclass(slots=True)
class _Begun:
    """What is being drawn ahead."""

    specs: dict[str, dict[str, Any]]
    drawn: dict[str, str] = field(default_factory=dict)
    thread: threading.Thread | None = None


class Drawer:
    """Draws Vega-Lite specs; made early, it is warm when the first chart comes."""

    def __init__(self) -> None:
        # By path and with -P: `-m` would import from the working folder, where a capture's sender may
        # have put a file called vl_convert.py. The module needs nothing else of this package.
        command = [sys.executable, "-P", __file__]
        self._child: subprocess.Popen[bytes] | None = None
        self._begun: list[_Begun] = []
        with contextlib.suppress(OSError):
            self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )

    def ahead(self, specs: Mapping[str, dict[str, Any]]) -> None:
        """Has the child draw what will be asked for, while there is other work to do; nothing waits for it."""
        if self._child is None:
            return
        before = self._begun[-1].thread if self._begun else None
        begun = _Begun(dict(specs))
        begun.thread = threading.Thread(target=self._draw_ahead, args=(begun, before), daemon=True)
        self._begun.append(begun)
        begun.thread.start()

    def _draw_ahead(self, begun: _Begun, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()  # the child answers in the order in which it is asked
        # A chart that kills the child is met again when all are drawn.
        with contextlib.suppress(OSError, ValueError):
            begun.drawn = self._drawn_by_child(begun.specs)

    def _done_ahead(self, specs: Mapping[str, dict[str, Any]]) -> dict[str, str]:
        """What was drawn ahead of just these specs."""
        all_begun, self._begun = self._begun, []
        for begun in all_begun:
            if begun.thread is not None:
                begun.thread.join()
        return {
            key: svg
            for begun in all_begun
            for key, svg in begun.drawn.items()
            if specs.get(key) == begun.specs[key]
        }

    def draw(self, specs: Mapping[str, dict[str, Any]]) -> dict[str, str]:
        """SVG text for each spec, by the same keys; empty for one that the engine cannot draw."""
        if self._child is None:
            return {key: draw(spec) for key, spec in specs.items()}
        drawn = self._done_ahead(specs)
        drawn |= self._drawn_by_child({key: spec for key, spec in specs.items() if key not in drawn})
        for key in specs:
            if key not in drawn:
                # The engine can abort its whole process: what is left is tried one by one, and not here.
                with Drawer() as fresh:
                    drawn |= fresh._drawn_by_child({key: specs[key]})
        return {key: drawn.get(key, "") for key in specs}

    def _drawn_by_child(self, specs: Mapping[str, dict[str, Any]]) -> dict[str, str]:
        """What the child has drawn until it died or was done."""
        child, drawn = self._child, {}
        if child is None or child.stdin is None or child.stdout is None:
            return {}
        feeder = threading.Thread(target=_feed, args=(child.stdin, list(specs.values())), daemon=True)
        feeder.start()
        for key in specs:
            answer = child.stdout.readline()
            if not answer.endswith(b"\n"):
                break
            drawn[key] = str(json.loads(answer).get("svg", ""))
        feeder.join()
        return drawn

    def bundle(self) -> str:
        """The JavaScript that draws the same specs in a browser [UTF-8 text]; empty where it cannot be made.

        Takes seconds; ask for it after the drawings, so that a child that dies of it has drawn them.
        """
        child = self._child
        if child is None or child.stdin is None or child.stdout is None:
            return str(_answer(_BUNDLE).get("js", ""))
        with contextlib.suppress(OSError, ValueError):
            child.stdin.write(json.dumps(_BUNDLE).encode() + b"\n")
            child.stdin.flush()
            return str(json.loads(child.stdout.readline()).get("js", ""))
        return ""

    def close(self) -> None:
        """Ends the child."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()  # it has nothing to lose
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        child.wait()

    def __enter__(self) -> Drawer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _feed(pipe: IO[bytes], specs: list[dict[str, Any]]) -> None:
    with contextlib.suppress(OSError):
        for spec in specs:
            pipe.write(json.dumps(spec).encode() + b"\n")
        pipe.flush()


def draw(spec: dict[str, Any]) -> str:
    """One spec as an SVG that is a part of a page: it scales with its column."""
    import vl_convert

    svg: str = compact(vl_convert.vegalite_to_svg(json.dumps(spec)))
    # The figure around it has the words for a screen reader.
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def compact(svg: str) -> str:
    """A drawing in fewer bytes that looks the same: a report with many charts is mostly their SVG.

    Coordinates are in tenths of a pixel instead of sixteen digits, the cells of a color are one path, and empty
    frames are left out.

    Args:
        svg: As the engine made it. It loses its size: it fills its column.
    """
    svg = _EMPTY.sub("", _NEEDLESS.sub("", _SIZE.sub("", svg, count=1)))
    return _CELLS.sub(_by_color, _PLACES.sub(lambda places: _LONG.sub(_tenths, places[0]), svg))


def _tenths(number: re.Match[str]) -> str:
    text = f"{float(number[0]):.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _by_color(cells: re.Match[str]) -> str:
    """Cells beside each other do not overlap, so those of a color may be one path."""
    colors: dict[str, list[str]] = {}
    for places, color in re.findall(_CELL, cells[0]):
        colors.setdefault(color, []).append(places)
    return "".join(f'<path d="{"".join(places)}" {color}/>' for color, places in colors.items())


def make_bundle() -> str:
    """Vega, Vega-Lite and vega-embed as one script; the same text every time.

    Raises:
        AttributeError: an old vl-convert has no bundle.
        ValueError: the bundle cannot be made.
    """
    import vl_convert

    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return bundle


def _answer(request: object) -> dict[str, str]:
    """What a request gets: the drawing of a spec, or the bundle."""
    try:
        if request == _BUNDLE:
            return {"js": make_bundle()}
        if isinstance(request, dict):
            return {"svg": draw(request)}
    except (ValueError, AttributeError) as error:  # old releases make no bundle
        return {"error": str(error)}
    return {"error": "neither a spec nor a question"}


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Reads specs, one JSON line each, and answers each with a JSON line."""
    draw(_WARM_UP)
    for line in requests:
        answers.write(json.dumps(_answer(json.loads(line))).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
