"""A lab as a host to collect, through the lab's own ssh_config."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from esxprobe.collect.command import CapturePlan
    from esxprobe.collect.task import HostTask
    from esxprobe.lab.lab import Lab
    from esxprobe.lab.real.lab import RealLab


def lab_task(lab: Lab | RealLab, vms: Sequence[str], plan: CapturePlan, guest_interval_s: int) -> HostTask:
    """The capture of a lab's only host.

    Args:
        lab: A running lab.
        vms: Names of the VMs whose guests are sampled.
        plan: Interval and length of the capture.
        guest_interval_s: Interval of the guests' counters [s].
    """
    from functools import partial

    from esxprobe.collect.guests import Guest
    from esxprobe.collect.task import HostTask
    from esxprobe.ssh.connect import Login, open_shell

    (host,) = lab.hosts.values()
    login = Login(config_files=(lab.ssh_config,))
    guests = tuple(
        Guest(name, partial(open_shell, host.guests[name].target, login), interval_s=guest_interval_s)
        for name in vms
    )
    connect = partial(open_shell, host.target, login)
    return HostTask(host.plan.host, plan, connect, guests, beside=connect)
