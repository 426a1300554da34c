"""Counters of the host's power, of the states of its PCPUs, of interrupts and of vSAN."""

from __future__ import annotations

from collections.abc import Iterator

from esxprobe.catalog.row import Row, stamp


def _states() -> Iterator[Row]:
    for number in range(4):
        yield Row(
            f"%C-State C{number}",
            f"%C{number}",
            "%",
            "Time the PCPU was executing (C0)"
            if number == 0
            else f"Time the PCPU was idle in state C{number}: a higher number is a deeper sleep",
            "C0 and the idle states add up to about 100",
        )
    for number in range(16):
        yield Row(
            f"%P-State P{number}",
            f"%P{number}",
            "%",
            "Time at the highest frequency (P0)"
            if number == 0
            else f"Time at the frequency of step P{number}: a higher number is slower",
            f"the frequency of the step in MHz is in `Power({number})\\P-State MHZ`; where firmware steers the "
            f"clock "
            "(Processor Clocking Control) P0 is full speed and P1 anything slower",
        )
    for number in range(8):
        yield Row(
            f"%T-State T{number}",
            f"%T{number}",
            "%",
            "Time not throttled (T0)" if number == 0 else f"Time throttled to step T{number}",
            "anything but 100 in T0 means throttling",
            extra=True,
        )
    yield Row(
        "% of aperf/mperf",
        "%A/MPERF",
        "%",
        "Actual frequency as a share of the nominal one while the PCPU was executing",
        "above 100 is turbo, below 100 with a busy C0 is power saving; since 6.5; "
        "some releases print the column without a name",
    )


COUNTERS = (
    *stamp(
        "Power",
        "host",
        (
            Row(
                "Power Usage Now Watts",
                "Power Usage",
                "W",
                "Power that the host draws when the sample is taken",
                "0 throughout where the host has no power meter",
            ),
            Row(
                "Power Usage Cap Watts",
                "Power Cap",
                "W",
                "Upper limit set for the host's power",
                "0 where no cap is known",
            ),
        ),
    ),
    *stamp(
        "Power",
        "P-state",
        (
            Row(
                "P-State MHZ",
                "PSTATE MHZ",
                "MHz",
                "Clock frequency of the P-state that the instance number names",
                "a property of the CPU, constant over the capture",
            ),
        ),
    ),
    *stamp("PCPU Power State", "PCPU", _states()),
    *stamp(
        "Interrupt Cookie",
        "interrupt",
        (
            Row(
                "Interrupts/second",
                "COUNT/s",
                "1/s",
                "Interrupts handled per second",
                "`0x12` is the total of one interrupt, `0x12:CPU3` its share on PCPU 3: do not add the two",
            ),
            Row(
                "Processing Time MicroSec/Interrupt",
                "TIME/int",
                "us",
                "Average time to handle one interrupt",
                "printed in whole microseconds: 0.00 is less than one, not free",
            ),
        ),
    ),
    *stamp("VSAN", "host", (Row("Enabled?", "", "", "1 where the host takes part in vSAN, otherwise 0"),)),
    *stamp(
        "VSAN",
        "vSAN role",
        (
            Row(
                f"Avg {verb} Latency in ms",
                "AVGLAT",
                "ms",
                f"Average {verb.lower()} latency in the vSAN role that the instance names, as `Owner`",
                "only on hosts with vSAN",
            )
            for verb in ("Read", "Write")
        ),
    ),
)
