"""What a capture would cost, told from one sample."""

from __future__ import annotations

from dataclasses import dataclass

from esxprobe.collect.command import CapturePlan, is_packed, pipeline
from esxprobe.collect.gzip_progress import GzipPeek
from esxprobe.collect.saying import last_line
from esxprobe.collect.stream_to_file import Link
from esxprobe.collect.vm_filter import limit_to, limited_pipeline
from esxprobe.errors import HostError


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a capture would cost, from one sample.

    Attributes:
        columns: Values in a row.
        header_bytes: Size of the header [bytes].
        row_bytes: Size of a row [bytes].
        packing: Packed size over plain size, of header and row together, 0 to 1.
        raw_bytes: The whole capture, plain [bytes].
        packed_bytes: The whole capture as it would be stored [bytes].
        duration_s: Time it takes [s].
        packed: Whether gzip would run on the host; otherwise its samples are packed here.
        rate_bytes_s: What the samples take on the way, on an average, when they are sent as they are [bytes/s].
    """

    columns: int
    header_bytes: int
    row_bytes: int
    packing: float
    raw_bytes: int
    packed_bytes: int
    duration_s: int
    packed: bool
    rate_bytes_s: float


def render_forecast(cost: Forecast) -> str:
    """A forecast in words."""
    return (
        f"{cost.columns:,} columns, {cost.raw_bytes / 1e6:,.1f} MB, "
        f"{cost.packed_bytes / 1e6:,.1f} MB compressed, {cost.duration_s / 60:,.0f} min, "
        + ("gzip on the host" if cost.packed else f"sent uncompressed: {cost.rate_bytes_s / 1e3:,.1f} kB/s")
    )


def forecast(link: Link, plan: CapturePlan, timeout_s: float = 60.0) -> Forecast:
    """Takes one sample and says what the plan would cost.

    Args:
        link: The connection.
        plan: What would be captured.
        timeout_s: How long the one sample may take [s].

    Raises:
        HostError: The host cannot be reached, or esxtop gives nothing.
    """
    shell = link.shell()
    line = limited_pipeline(plan.interval_s, 1, limit_to(shell, plan.vms)) if plan.vms else None
    result = shell.run(line or pipeline(plan.interval_s, 1), timeout_s=timeout_s)
    peek = GzipPeek()
    peek.feed(result.stdout)
    if peek.rows < 1 or not peek.has_trailer:
        reason = last_line(result.stderr)
        raise HostError(
            f"esxtop gives no sample{': ' + reason if reason else ''}",
            hint="check that this is an ESXi host and that the account has the Administrator role",
        )
    row_bytes = peek.raw_bytes - peek.header_bytes
    packing = len(result.stdout) / peek.raw_bytes
    segments = list(plan.segments())
    raw_bytes = len(segments) * peek.header_bytes + sum(segments) * row_bytes
    return Forecast(
        columns=peek.header_cells - 1,
        header_bytes=peek.header_bytes,
        row_bytes=row_bytes,
        packing=packing,
        raw_bytes=raw_bytes,
        packed_bytes=round(raw_bytes * packing),
        duration_s=plan.duration_s,
        packed=is_packed(row_bytes, plan.interval_s) if plan.packed is None else plan.packed,
        rate_bytes_s=row_bytes / plan.interval_s,
    )
