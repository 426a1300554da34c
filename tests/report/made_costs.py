"""Fault costs as the analysis gives them, made by hand."""

from datetime import UTC, datetime, timedelta

from esxprobe.model import Cut, FaultCost, FaultScatter, FaultSeries, GuestLogUse

START = datetime(2026, 3, 26, 21, 30, tzinfo=UTC)


def cost(vm: str = "web01", gid: str = "1181022", **more: object) -> FaultCost:
    """A VM of which each fault moves 2.5 us of vCPU time: ten minutes, of which the first one is cut."""
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
        "samples": 108,
        "n_eff": 61.0,
        "r": 0.83,
        "p": 1e-9,
        "q": 2e-9,
        "slope_us_per_fault": 2.5,
        "ci_low": 2.1,
        "ci_high": 2.9,
        "min_detectable_us": 0.4,
        "lag_s": 0.0,
        "fault_rate_median": 25_500.0,
        "fault_rate_p95": 31_000.0,
        "bound_pct_vcpu": 9.3,
        "mmu": "software",
        "verdict": "severe",
        "statement": f"Soft faults of {vm} move together with at most 2.9 us of vCPU time each.",
        "advice": ("Move it to a host with hardware page tables.",),
        "controls": ("user_time", "context_switches"),
        "cuts": (Cut("power-on", 12, "the first minute after power-on"), Cut("gap", 0, "gaps")),
        "bound_us": 3.0,
        "bound_basis": "rule of thumb: 3 us a fault",
        "share_pct_vcpu": 6.4,
        "share_pct_vcpu_high": 7.4,
        "lag_p": 0.4,
        "interval_s": 5.0,
        "series": series,
        "scatter": scatter,
    }
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
        offset="0.2 s ahead, give or take 0.5 s",
        first=START,
        last=START + timedelta(minutes=10),
    )
