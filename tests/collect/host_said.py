"""Answers of hosts, for several test modules."""

from pathlib import Path

DATA = Path(__file__).parent / "data"


def answers(command: str) -> str | None:
    """A host with two VMs, one of which has an evil name."""
    if command == "vmware -vl":
        return (DATA / "version/8.0.txt").read_text(encoding="utf-8")
    if command == "esxcli vm process list":
        return (DATA / "vms/two.txt").read_text(encoding="utf-8")
    if "vmware*.log" in command:
        settings = (DATA / "vmx/usual.txt").read_text(encoding="utf-8").splitlines()
        logs = (DATA / "monitor/8-modules.txt").read_text(encoding="utf-8").splitlines()
        told = [*(f"<{line}" for line in settings), "=1 vmx 0 7", *(f"<{line}" for line in logs), "=1 log 0 8"]
        return "\n".join([*told, "<grep: x: No such file", "=2 vmx 2 9", "=2 log 1 10", ""])
    return None
