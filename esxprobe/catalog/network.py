"""Counters of ports of virtual switches and of RDMA devices."""

from __future__ import annotations

from esxprobe.catalog.row import Row, stamp

_UPLINKS = "only physical adapters have it, every other port prints 0"

COUNTERS = (
    *stamp(
        "Network Port",
        "port",
        (
            Row("Link Up?", "UP", "", "1 while the link is up, otherwise 0", _UPLINKS, extra=True),
            Row("Link Speed (Mb/s)", "SPEED", "Mb/s", "Speed of the link", _UPLINKS, extra=True),
            Row("Full Duplex?", "FDUPLX", "", "1 while the link is full duplex, otherwise 0", _UPLINKS, extra=True),
            Row("Packets Transmitted/sec", "PKTTX/s", "1/s", "Packets sent per second"),
            Row("MBits Transmitted/sec", "MbTX/s", "Mb/s", "Megabits sent per second"),
            Row(
                "Average Packet Size  Transmitted (Bytes)",
                "PSZTX",
                "bytes",
                "Average size of the packets sent",
                "the name contains two spaces before `Transmitted`",
            ),
            Row("Packets Received/sec", "PKTRX/s", "1/s", "Packets received per second"),
            Row("MBits Received/sec", "MbRX/s", "Mb/s", "Megabits received per second"),
            Row(
                "Average Packet Size  Received (Bytes)",
                "PSZRX",
                "bytes",
                "Average size of the packets received",
                "the name contains two spaces before `Received`",
            ),
            Row(
                "% Outbound Packets Dropped",
                "%DRPTX",
                "%",
                "Share of the packets to send that were dropped",
                worse="more",
            ),
            Row(
                "% Received Packets Dropped",
                "%DRPRX",
                "%",
                "Share of the packets to receive that were dropped",
                "on a VM's port the loss is at the hand-over to the guest's network driver, because the guest ran "
                "out of receive buffers or CPU (Broadcom 312565); has many false positives",
                worse="more",
            ),
            Row(
                "Actions Posted/sec",
                "ACTN/s",
                "1/s",
                "Actions that the VMkernel posted for the port",
                "internal to the VMkernel",
                extra=True,
            ),
            Row(
                "Multicast Packets Transmitted/sec",
                "PKTTXMUL/s",
                "1/s",
                "Multicast packets sent per second",
                extra=True,
            ),
            Row(
                "Multicast Packets Received/sec",
                "PKTRXMUL/s",
                "1/s",
                "Multicast packets received per second",
                extra=True,
            ),
            Row(
                "Broadcast Packets Transmitted/sec",
                "PKTTXBRD/s",
                "1/s",
                "Broadcast packets sent per second",
                extra=True,
            ),
            Row(
                "Broadcast Packets Received/sec",
                "PKTRXBRD/s",
                "1/s",
                "Broadcast packets received per second",
                extra=True,
            ),
        ),
    ),
    *stamp(
        "RDMA Device",
        "RDMA device",
        (
            Row("Name", "NAME", "", "Name of the device", "the cells contain text", kind="text"),
            Row(
                "Team Uplink",
                "TEAM-PNIC",
                "",
                "Physical network adapter that the device is paired with",
                "the cells contain text",
                kind="text",
            ),
            Row("Packets Transmitted/sec", "PKTTX/s", "1/s", "Packets sent per second"),
            Row("Mega Bits Transmitted/sec", "MbTX/s", "Mb/s", "Megabits sent per second"),
            Row("Packets Received/sec", "PKTRX/s", "1/s", "Packets received per second"),
            Row("Mega Bits Received/sec", "MbRX/s", "Mb/s", "Megabits received per second"),
            Row("Queue Pairs Allocated", "QP", "", "Queue pairs in use"),
            Row("Memory Regions Allocated", "MR", "", "Memory regions registered"),
        ),
    ),
)
