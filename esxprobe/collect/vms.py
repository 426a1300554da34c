"""Names of the VMs that run on a host, and the message where a wanted one is not among them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from esxprobe.collect.facts import VMS, parse_vms
from esxprobe.collect.shell import Shell

_NEAR = 5
_TIMEOUT_S = 20.0


def running_vms(shell: Shell) -> tuple[str, ...]:
    """Asks a host for the names of its running VMs; none where it gives no such list.

    Raises:
        HostError: The host cannot be asked.
    """
    answer = shell.run(VMS, timeout_s=_TIMEOUT_S).stdout.decode("utf-8", "replace")
    try:
        return tuple(vm["name"] for vm in parse_vms(answer))
    except ValueError:
        return ()


def spellings(name: str) -> set[str]:
    r"""The ways a VM's name is written: vCenter keeps `/`, `\` and `%` as `%2f`, `%5c` and `%25`."""
    return {name, name.replace("%", "%25").replace("/", "%2f").replace("\\", "%5c")}


def not_among(names: Iterable[str], there: Iterable[str]) -> tuple[str, ...]:
    """Those of the wanted names that are not there, each once."""
    known = set(there)
    return tuple(name for name in dict.fromkeys(names) if not spellings(name) & known)


def runs_no(host: str, missing: Sequence[str]) -> str:
    """What is wrong when VMs are missing."""
    return f"{host} runs no VM named {' nor '.join(repr(name) for name in missing)}"


def near(name: str, there: Iterable[str]) -> str:
    """The names that could have been meant, for a hint."""
    names = list(dict.fromkeys(there))
    close = difflib.get_close_matches(name, names, _NEAR, 0.5)
    close += [other for other in names if name.casefold() in other.casefold() and other not in close]
    shown = ", ".join(repr(other) for other in (close or names)[:_NEAR])
    return (
        f"{'near' if close else 'there'}: {shown}"
        if shown
        else ("check that the VM is powered on and runs on this host")
    )
