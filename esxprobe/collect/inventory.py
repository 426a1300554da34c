r"""`hosts.toml`: hosts, how to log in on them, the VMs that matter there, and their guests.

    [defaults]                        # for every host that does not say otherwise:
    user = "root"                     # any key of a host but name, address, vms and guests
    interval = 5

    [[hosts]]
    name = "host01"                   # what it is called: in ssh_config, and in the captures
    address = "10.0.0.11"             # where it is instead; then ssh_config is asked for this
    port = 22
    identity = "~/.ssh/id_ecdsa"      # or a list; a relative path begins at this file
    legacy_crypto = false
    interval = 5                      # seconds
    duration = "10m"                  # or samples = 121
    segment = "15m"
    vms = ["web01", "db 02"]          # only these; without it, all

    [[hosts.guests]]
    vm = "web01"
    target = "ssh://admin@10.0.0.7"
    system = "linux"                  # or "windows"
    timezone = "Europe/Berlin"        # of its clock, where that matters

There is no key for a secret: a file like this is copied, committed and sent about.
"""

from __future__ import annotations

import difflib
import re
import tomllib
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from esxprobe.collect.guests import System
from esxprobe.errors import UsageError
from esxprobe.files.toml_lines import line_of

_SECRETS = re.compile(r"pass(word|phrase|wd)|secret|token|credential|^(pass|pin|otp)$", re.IGNORECASE)
_PASSWORD_IN_TARGET = re.compile(r"[^@]*:.*@")
_SAFE = "a password is asked for, or comes with --password-stdin or --keyring; better still are keys (identity)"


@dataclass(frozen=True, slots=True)
class GuestEntry:
    """A guest of a host's VM.

    Attributes:
        vm: The VM's name.
        target: Where to log in, as on the command line.
        system: What it runs.
        timezone: The zone of its clock, empty when it was not said.
    """

    vm: str
    target: str
    system: System = "linux"
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class HostEntry:
    """A host.

    Attributes:
        name: What it is called.
        address: Where it is; None where that is its name.
        user: The account; None leaves it to ssh_config.
        port: The TCP port; None leaves it to ssh_config.
        identity: Key files, as they stand in the file.
        legacy_crypto: Old algorithms are allowed.
        interval_s: Time between samples [s], None when it was not said.
        duration: How long, as text; None when it was not said.
        samples: How many samples; None when it was not said. Never together with `duration`.
        segment: After how long esxtop is started anew, as text.
        vms: Names of the VMs that it is limited to.
        guests: The guests beside it.
    """

    name: str
    address: str | None = None
    user: str | None = None
    port: int | None = None
    identity: tuple[str, ...] = ()
    legacy_crypto: bool = False
    interval_s: int | None = None
    duration: str | None = None
    samples: int | None = None
    segment: str | None = None
    vms: tuple[str, ...] = ()
    guests: tuple[GuestEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Inventory:
    """The hosts of a file, in its order."""

    hosts: tuple[HostEntry, ...] = ()


_TEXT, _NUMBER, _FLAG, _TEXTS, _LENGTH = (
    "text",
    "a whole number above 0",
    "true or false",
    "a list of texts",
    'a length of time: "10m", "90s", 600',
)
_DEFAULT_KEYS = {
    "user": _TEXT,
    "port": _NUMBER,
    "identity": _TEXTS,
    "legacy_crypto": _FLAG,
    "interval": _NUMBER,
    "duration": _LENGTH,
    "samples": _NUMBER,
    "segment": _LENGTH,
}
_HOST_KEYS = {"name": _TEXT, "address": _TEXT, **_DEFAULT_KEYS, "vms": _TEXTS}
_GUEST_KEYS = {"vm": _TEXT, "target": _TEXT, "system": _TEXT, "timezone": _TEXT}


@dataclass(frozen=True, slots=True)
class _Place:
    """A table of the file, for messages: its text, and the keys and numbers that lead to the table."""

    text: str
    path: tuple[str | int, ...] = ()

    def table(self, name: str, number: int | None = None) -> _Place:
        return _Place(self.text, (*self.path, name) if number is None else (*self.path, name, number))

    @property
    def words(self) -> str:
        """The table as messages call it: `hosts[0].guests[1]`."""
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path).lstrip(".")

    def refuse(self, what: str, hint: str, key: str = "") -> NoReturn:
        steps = (*self.path, key) if key else self.path
        line = f"line {line_of(self.text, steps)}, " if steps else ""
        where = ".".join(filter(None, (self.words, key))) or "the file"
        raise UsageError(f"the inventory, {line}{where}: {what}", hint=hint)


def parse_inventory(text: str) -> Inventory:
    """Reads an inventory.

    Raises:
        UsageError: It is no TOML, or it says something that has no meaning here; the message names line and field.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the inventory is no TOML: {error}", hint="texts stand in quotes") from error
    top = _Place(text)
    _known(top, content, ("defaults", "hosts"))
    defaults = content.get("defaults", {})
    place = top.table("defaults")
    if not isinstance(defaults, dict):
        top.refuse("is no table", "write [defaults]", "defaults")
    common = _values(place, defaults, _DEFAULT_KEYS)
    hosts = tuple(
        _host(top.table("hosts", number), table, common) for number, table in _tables(top, content, "hosts")
    )
    if not hosts:
        top.refuse("names no host", 'write [[hosts]] and below it name = "host01"')
    names: dict[str, int] = {}
    for number, host in enumerate(hosts):
        if host.name in names:
            what = f"the name {host.name!r} is that of hosts[{names[host.name]}] too"
            top.table("hosts", number).refuse(what, "each host has a name of its own", "name")
        names[host.name] = number
    return Inventory(hosts)


def _host(place: _Place, table: dict[str, Any], common: dict[str, Any]) -> HostEntry:
    own = _values(place, table, _HOST_KEYS, ("guests",))
    if "duration" in own or "samples" in own:  # one of the two takes the other's place
        common = {key: given for key, given in common.items() if key not in {"duration", "samples"}}
    entry = {**common, **own}
    name, address = entry.pop("name", None), entry.pop("address", None)
    if not name and not address:
        place.refuse("has no name", 'give it one: name = "host01"')
    guests = tuple(_guest(place.table("guests", n), guest) for n, guest in _tables(place, table, "guests"))
    for number, guest in enumerate(guests):
        if guest.vm in {other.vm for other in guests[:number]}:
            place.table("guests", number).refuse(f"the VM {guest.vm!r} has two guests", "one is enough", "vm")
    if "interval" in entry:
        entry["interval_s"] = entry.pop("interval")
    return HostEntry(name or address, address, guests=guests, **entry)


def _guest(place: _Place, table: dict[str, Any]) -> GuestEntry:
    entry = _values(place, table, _GUEST_KEYS)
    for key in ("vm", "target"):
        if not entry.get(key):
            place.refuse(f"has no {key}", 'a guest is at least vm = "web01" and target = "ssh://admin@10.0.0.7"')
    if _PASSWORD_IN_TARGET.match(entry["target"].removeprefix("ssh://")):
        place.refuse("holds a password, which has no place in a file that is copied about", _SAFE, "target")
    if entry.get("system", "linux") not in {"linux", "windows"}:
        place.refuse(f"{entry['system']!r} is no system that is known", 'write "linux" or "windows"', "system")
    if zone := entry.get("timezone"):
        try:
            zoneinfo.ZoneInfo(zone)
        except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
            place.refuse(f"{zone!r} is no time zone", 'write a name such as "Europe/Berlin" or "UTC"', "timezone")
    return GuestEntry(**entry)


def _tables(place: _Place, table: dict[str, Any], name: str) -> list[tuple[int, dict[str, Any]]]:
    found = table.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        place.refuse("is no list of tables", f"write [[{place.table(name).words}]] above each", name)
    return list(enumerate(found))


def _known(place: _Place, table: dict[str, Any], keys: tuple[str, ...]) -> None:
    for key in table:
        if key in keys:
            continue
        if _SECRETS.search(key.replace("_", "").replace("-", "")):
            place.refuse("a secret has no place in a file that is copied about; take it out", _SAFE, key)
        near = difflib.get_close_matches(key, keys, 1, 0.5)
        place.refuse("no such key", f"did you mean {near[0]!r}?" if near else f"known: {', '.join(keys)}", key)


def _values(
    place: _Place, table: dict[str, Any], kinds: dict[str, str], tables: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The values of a table, each of its kind."""
    _known(place, table, (*kinds, *tables))
    entry: dict[str, Any] = {key: _value(place, key, table[key], kinds[key]) for key in table if key not in tables}
    if "duration" in entry and "samples" in entry:
        place.refuse("duration and samples are both there", "one of them says how long", "samples")
    if entry.get("port", 1) > 65535:
        place.refuse(f"{entry['port']} is no port", "a number from 1 to 65535", "port")
    return entry


def _value(place: _Place, key: str, given: object, kind: str) -> Any:
    taken = _TAKES[kind](given)
    if taken is None:
        place.refuse(f"{given!r} is not {kind}", f"{key} takes {kind}", key)
    return taken


def _text(given: object) -> str | None:
    return given if isinstance(given, str) and given else None


def _number(given: object) -> int | None:
    return given if isinstance(given, int) and not isinstance(given, bool) and given > 0 else None


def _flag(given: object) -> bool | None:
    return given if isinstance(given, bool) else None


def _texts(given: object) -> tuple[str, ...] | None:
    texts = [given] if isinstance(given, str) else given
    return tuple(texts) if isinstance(texts, list) and texts and all(map(_text, texts)) else None


def _length(given: object) -> str | None:
    return str(given) if isinstance(given, float) or _number(given) else _text(given)


_TAKES: dict[str, Callable[[object], Any]] = {
    _TEXT: _text,
    _NUMBER: _number,
    _FLAG: _flag,
    _TEXTS: _texts,
    _LENGTH: _length,
}
