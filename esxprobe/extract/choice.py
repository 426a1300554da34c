r"""Which columns of a header are wanted: by counter, VM, entity and object.

What is given for one of them widens the choice, what is given for different ones narrows it. Upper and lower
case make no difference; a name that is there literally is never taken for a pattern.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from esxprobe import catalog
from esxprobe.errors import UsageError
from esxprobe.formats.entities import Identities
from esxprobe.formats.numbered import without_number
from esxprobe.formats.wanted import meanings, text_counters

if TYPE_CHECKING:
    import polars as pl

_NEAR = 3
_KINDS = ("counter", "counter of object", "VM", "entity", "object")


@dataclass(frozen=True, slots=True)
class Selection:
    r"""What is asked for; nothing of a kind means all of it.

    Attributes:
        counters: Patterns of a counter's name, of its label on esxtop's screens (`%RDY`), or `Object\Counter`.
        vms: Names or group ids of VMs: all that belongs to them.
        entities: Patterns of an instance's text or of its short name.
        objects: Patterns of an object's name.
    """

    counters: tuple[str, ...] = ()
    vms: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()


def fits(pattern: str, name: str) -> bool:
    """Whether a name is what was written, or matches it as a pattern of `*`, `?` and `[...]`."""
    low, folded = pattern.casefold(), name.casefold()
    return low == folded or fnmatchcase(folded, low)


class ColumnChoice:
    """Chooses from one header after the other and remembers what was found nowhere."""

    def __init__(self, query: Selection) -> None:
        self._query = query
        self._found: set[tuple[str, str]] = set()
        self._names: dict[str, dict[str, None]] = {what: {} for what in _KINDS}
        self._any = False

    def of(self, identities: Identities) -> pl.DataFrame:
        """The wanted columns of a header, in its order, with words (Boolean): their cells hold words."""
        import polars as pl

        columns, query = identities.columns, self._query
        numbered = meanings(columns)
        wanted = pl.repeat(value=True, n=columns.height, dtype=pl.Boolean, eager=True)
        if query.counters or query.objects:
            rows = [(obj, without_number(counter)) for _, obj, counter in numbered.iter_rows()]
            flags = self._matching("counter", query.counters, [_counter_names(*row) for row in rows], _counter_fits)
            self._names["counter of object"].update(dict.fromkeys("\\".join(row) for row in rows))
            more = self._matching("object", query.objects, [(obj,) for obj, _ in rows])
            both = [one and other for one, other in zip(flags, more, strict=True)]
            wanted = pl.Series(both, dtype=pl.Boolean).gather(columns["meaning"])
        if query.vms or query.entities:
            wanted &= self._things(identities).gather(columns["thing"])
        words = numbered.join(text_counters(), on=["object", "counter"], how="semi")["meaning"]
        chosen = columns.filter(wanted).with_columns(pl.col("meaning").is_in(words.implode()).alias("words"))
        self._any |= bool(chosen.height)
        return chosen

    def check(self) -> None:
        """To be called when all headers were there.

        Raises:
            UsageError: Something was asked for that none of them has, or nothing has all of it.
        """
        query = self._query
        asked = {"counter": query.counters, "VM": query.vms, "entity": query.entities, "object": query.objects}
        for what, patterns in asked.items():
            for pattern in patterns:
                if (what, pattern) not in self._found:
                    raise UsageError(f"the capture has no {what} {pattern!r}", hint=self._hint(what, pattern))
        if not self._any:
            given = [f"--{what.lower()} {' '.join(patterns)}" for what, patterns in asked.items() if patterns]
            raise UsageError(
                f"no column matches all conditions: {', '.join(given) or 'there is none'}",
                hint="`esxprobe counters CAPTURE --object NAME` lists the counters of an object",
            )

    def _things(self, identities: Identities) -> pl.Series:
        """Which of the things, by their number, belong to a wanted VM and match a wanted entity."""
        import polars as pl

        things = identities.columns.unique("thing", keep="first", maintain_order=True)
        gids, names = _belongings(identities)
        whose = {vm.gid: (vm.name, vm.gid) for vm in identities.vms}
        owners: list[Sequence[str]] = []
        called: list[Sequence[str]] = []
        for instance, kind, entity in things.select("instance", "kind", "entity").iter_rows():
            owners.append(whose.get(gids.get((kind, entity), ""), ()))
            called.append((instance, names.get((kind, entity), instance)))
        for vm in identities.vms:
            self._names["VM"][vm.name] = None
        of_vm = self._matching("VM", self._query.vms, owners, lambda wanted, own: wanted in own)
        matching = self._matching("entity", self._query.entities, called)
        both = [one and other for one, other in zip(of_vm, matching, strict=True)]
        return pl.Series(both, dtype=pl.Boolean)

    def _matching(
        self,
        what: str,
        patterns: Iterable[str],
        names: Sequence[Sequence[str]],
        fit: Callable[[str, Sequence[str]], bool] | None = None,
    ) -> list[bool]:
        """Which of some things have a name that one of the patterns fits; all where there is no pattern."""
        patterns = tuple(patterns)
        if not patterns:
            return [True] * len(names)
        fit = fit or _any_fits
        flags = [False] * len(names)
        self._names[what].update(dict.fromkeys(own[0] for own in names if own))
        for pattern in patterns:
            for n, own in enumerate(names):
                if fit(pattern, own):
                    flags[n] = True
                    self._found.add((what, pattern))
        return flags

    def _hint(self, what: str, pattern: str) -> str:
        names = self._names[f"{what} of object" if "\\" in pattern and what == "counter" else what]
        folded = {name.casefold(): name for name in names if name}
        near = difflib.get_close_matches(pattern.casefold().strip("*"), folded, _NEAR, 0.4)
        if near:
            return f"did you mean {' or '.join(folded[name] for name in near)}?"
        some = ", ".join(list(folded.values())[:_NEAR])
        return f"it has {some}{', ...' if len(folded) > _NEAR else ''}" if some else "it has none"


def _any_fits(pattern: str, names: Sequence[str]) -> bool:
    return any(fits(pattern, name) for name in names)


def _counter_names(obj: str, counter: str) -> tuple[str, str, str]:
    record = catalog.find(obj, counter)
    return counter, record.label if record else "", obj


def _counter_fits(pattern: str, names: Sequence[str]) -> bool:
    counter, label, obj = names
    own, slash, rest = pattern.partition("\\")
    if slash:
        return fits(own, obj) and fits(rest, counter)
    return fits(pattern, counter) or (bool(label) and fits(pattern, label))


def _belongings(identities: Identities) -> tuple[dict[tuple[str, int], str], dict[tuple[str, int], str]]:
    """Group id and name of every entity, by kind and number."""
    gids: dict[tuple[str, int], str] = {}
    names: dict[tuple[str, int], str] = {}
    for kind, frame in identities.entities.items():
        for entity, name, gid in frame.select("entity", "name", "gid").iter_rows():
            names[kind, entity] = name
            gids[kind, entity] = gid or ""
    return gids, names


def owners_of(identities: Identities, columns: pl.DataFrame) -> pl.Series:
    """Name of the VM that each column belongs to, null for none."""
    import polars as pl

    gids, _ = _belongings(identities)
    whose = {vm.gid: vm.name for vm in identities.vms}
    pairs = columns.select("kind", "entity").iter_rows()
    return pl.Series("vm", [whose.get(gids.get(pair, "")) for pair in pairs], dtype=pl.String)
