"""`esxprobe check`: could a capture be taken there, and what would it run?"""

from __future__ import annotations

import typer

from esxprobe.commands import options
from esxprobe.errors import EXIT_HOST_FAILED


def check(
    hosts: options.Hosts = None,
    inventory: options.InventoryFile = None,
    duration: options.Duration = None,
    samples: options.Samples = None,
    interval: options.Interval = None,
    segment: options.Segment = None,
    vm: options.Vms = None,
    guest: options.LinuxGuests = None,
    windows_guest: options.WindowsGuests = None,
    identity: options.Identity = None,
    password_stdin: options.PasswordStdin = False,
    keyring: options.Keyring = False,
    accept_new_host_key: options.AcceptNewHostKey = False,
    legacy_crypto: options.LegacyCrypto = False,
) -> None:
    """Run the pre-flight checks for a capture and show each step; nothing is captured."""
    import time

    from esxprobe.collect.check import check_hosts
    from esxprobe.commands.hosts import Words, check_tasks
    from esxprobe.commands.outcomes import show_checks
    from esxprobe.commands.terminal import ends_at_once

    words = Words(
        hosts=hosts,
        inventory=inventory,
        duration=duration,
        samples=samples,
        interval=interval,
        segment=segment,
        vms=vm,
        linux_guests=guest,
        windows_guests=windows_guest,
        identity=identity,
        password_stdin=password_stdin,
        keyring=keyring,
        legacy_crypto=legacy_crypto,
        accept_new_host_key=accept_new_host_key,
    )
    with ends_at_once():
        checks = check_hosts(check_tasks(words, keeps_host_keys=accept_new_host_key), time.time)
    show_checks(checks)
    if not all(each.ok for each in checks):
        raise typer.Exit(EXIT_HOST_FAILED)
