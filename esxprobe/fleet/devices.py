"""One LUN on several hosts: slow on all that use it speaks of the array, slow on one of the way there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from esxprobe.model import DeviceLatency
from esxprobe.model.fleet import CaptureDigest, SlowDevice, Spread

RULE = "device-latency"
# As many busy samples the rule wants of a slow device; a host with fewer says nothing of it.
_LEAST_BUSY = 6
# Ids that are the same on every host; mpx and vmhba names are not.
GLOBAL = ("naa.", "eui.", "t10.")
_ORDER: dict[Spread, int] = {"all": 0, "some-hosts": 1, "one-host": 2, "not-together": 3, "alone": 4}

Sight = tuple[str, CaptureDigest, DeviceLatency]


def slow_devices(captures: Sequence[tuple[str, CaptureDigest]]) -> tuple[SlowDevice, ...]:
    """Devices with a finding on at least one host, and how all others that see them fare.

    Args:
        captures: Host and digest of each.
    """
    sights: dict[str, list[Sight]] = defaultdict(list)
    for host, digest in captures:
        for row in digest.devices:
            if row.device.startswith(GLOBAL):
                sights[row.device].append((host, digest, row))
    slow = {
        finding.entity.name for _, digest in captures for finding in digest.findings if finding.rule == RULE
    } & sights.keys()
    found = [_spread(device, sights[device]) for device in slow]
    return tuple(sorted(found, key=lambda each: (_ORDER[each.spread], -len(each.slow), each.device)))


def _spread(device: str, sights: Sequence[Sight]) -> SlowDevice:
    slow = [each for each in sights if _is_slow(device, each[1])]
    fine: dict[str, float | None] = {}
    unused: dict[str, None] = {}
    ill = {host: row.davg_p95 for host, _, row in slow}
    for host, digest, row in sights:
        if host in ill:
            continue
        together = any(_overlap(digest, other) for _, other, _ in slow)
        if row.busy >= _LEAST_BUSY and together:
            fine[host] = row.davg_p95
        else:
            unused[host] = None
    for host in fine:
        unused.pop(host, None)
    return SlowDevice(
        device, _verdict(len(ill), len(fine), len(unused)), tuple(ill.items()), tuple(fine.items()), tuple(unused)
    )


def _verdict(slow: int, fine: int, unused: int) -> Spread:
    if fine:
        return "one-host" if slow == 1 else "some-hosts"
    if slow > 1:
        return "all"
    return "not-together" if unused else "alone"


def _is_slow(device: str, digest: CaptureDigest) -> bool:
    return any(finding.rule == RULE and finding.entity.name == device for finding in digest.findings)


def _overlap(one: CaptureDigest, other: CaptureDigest) -> bool:
    if not (one.date_known and other.date_known):
        return False
    if one.started is None or one.ended is None or other.started is None or other.ended is None:
        return False
    return one.started < other.ended and other.started < one.ended
