"""Fault costs as the analysis gives them, made by hand."""

from datetime import UTC, datetime, timedelta

from esxprobe.model import (
    AnalyzedIntervals,
    Association,
    ClockAlignment,
    Cut,
    FaultCost,
    FaultRates,
    FaultScatter,
    FaultSeries,
    GuestLogUse,
    MeasuredShare,
    RateBound,
    SlopeReading,
    UpperBound,
)

START = datetime(2026, 3, 26, 21, 30, tzinfo=UTC)


def cost(vm: str = "web01", gid: str = "1181022", **more: object) -> FaultCost:
    """A VM in which vCPU time rises by 2.5 µs with each fault: ten minutes, of which the first one is cut."""
    times = tuple(START + timedelta(seconds=5 * n) for n in range(120))
    rates = tuple(20_000.0 + 1_000 * (n % 12) for n in range(120))
    series = FaultSeries(
        times,
        tuple(None if n == 60 else rate for n, rate in enumerate(rates)),
        tuple(40 + rate * 2.5e-4 for rate in rates),
        tuple("power-on" if n < 12 else "" for n in range(120)),
    )
    scatter = FaultScatter(rates, tuple(4e5 + 2.5 * rate for rate in rates), 25_500.0, 463_750.0, 2.5, 2.1, 2.9)
    fields: dict[str, object] = {
        "vm": vm,
        "gid": gid,
        "guest_counter": "soft_faults",
        "host_counter": "%RUN - %OVRLP",
        "mmu": "software",
        "verdict": "severe",
        "rates": FaultRates(25_500.0, 31_000.0, 25_600.0, 108, 46.4, 0.3),
        "bound": RateBound(12.0, "12 µs per fault: made up", 30.7),
        "upper": UpperBound(46.4, "all CPU time of the VM, %RUN"),
        "measured": MeasuredShare(16.4, 14.4, 18.4, "experiment"),
        "association": Association(
            us=2.5,
            low_us=2.1,
            high_us=2.9,
            readings=(SlopeReading(("user_time", "context_switches"), 2.5, 2.1, 2.9),),
            unbooked=None,
            p=1e-9,
            q=2e-9,
            n_eff=61.0,
            detectable_us=0.4,
        ),
        "clock": ClockAlignment(0.2, 0.0, 0.4, visible_s=1.25, counters=("user_time",)),
        "intervals": AnalyzedIntervals(
            108, 5.0, (Cut("power-on", 12, "the first minute after power-on"), Cut("gap", 0, "gaps"))
        ),
        "statement": f"An experiment in {vm} measured it.",
        "statistics": ("How it was found.",),
        "advice": ("Move it to a host with hardware page tables.",),
        "series": series,
        "scatter": scatter,
    }
    if "share" in more:
        share = float(more.pop("share"))  # type: ignore[arg-type]
        fields["measured"] = MeasuredShare(share, share - 1, share + 1, "experiment")
    return FaultCost(**(fields | more))  # type: ignore[arg-type]


def log(vm: str = "web01", gid: str = "1181022") -> GuestLogUse:
    """The log that belongs to it."""
    return GuestLogUse(
        vm=vm,
        gid=gid,
        file="web01.txt",
        sha256="0" * 64,
        bytes=1234,
        format="esxprobe",
        computer="",
        zone="UTC",
        interval_s=5.0,
        matched_by="collected with the host",
        offset="0.2 s ahead, ± 0.5 s",
        first=START,
        last=START + timedelta(minutes=10),
    )
