"""Counting damage while a file is read: a code, how many, and the location of the first few."""

from __future__ import annotations

from esxprobe.catalog.quality import note, quality_code
from esxprobe.model import QualityNote

_SHOWN = 5


class QualityIssues:
    """Counts by quality code, with the first few places of each."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._places: dict[str, list[str]] = {}

    def add(self, code: str, count: int = 1, place: str = "") -> None:
        """Counts `count` more of a code; the first few places are kept."""
        if count <= 0:
            return
        self._counts[code] = self._counts.get(code, 0) + count
        self._place(code, place)

    def take(self, notes: list[QualityNote]) -> None:
        """Counts ready-made notes."""
        for made in notes:
            plain = made.detail == quality_code(made.code).meaning
            self.add(made.code, made.count, "" if plain else made.detail)

    def join(self, other: QualityIssues) -> None:
        """Counts what another one has counted."""
        for code, count in other._counts.items():
            self.add(code, count)
            for place in other._places[code]:
                self._place(code, place)

    def _place(self, code: str, place: str) -> None:
        places = self._places.setdefault(code, [])
        if place and len(places) < _SHOWN and place not in places:
            places.append(place)

    def count(self, code: str) -> int:
        """How many of a code so far."""
        return self._counts.get(code, 0)

    def plain_notes(self) -> list[QualityNote]:
        """The same for another one to `take`: the places alone."""
        return [note(code, count, "; ".join(self._places[code])) for code, count in self._counts.items()]

    def notes(self) -> list[QualityNote]:
        """Everything counted, in order of first sight."""
        made = []
        for code, count in self._counts.items():
            places = self._places[code]
            detail = quality_code(code).meaning
            if places:
                detail += f": {'; '.join(places)}"
                if count > len(places) == _SHOWN:
                    detail += "; ..."
            made.append(note(code, count, detail))
        return made
