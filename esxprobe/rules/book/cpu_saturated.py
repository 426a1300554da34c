"""vCPUs that run nearly all the time."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule

_RUN = r"Vcpu\% Run"

RULE = Rule(
    id="cpu-saturated",
    title="vCPUs ran nearly all the time (%RUN)",
    entity="vcpu",
    value=f'"{_RUN}"',
    label="%RUN",
    unit="%",
    levels=(
        Level("warning", 95, sources.cited(sources.VSPHERE_METRICS.saying("vCPU run time is red above 95 %"))),
        Level(
            "info",
            80,
            sources.cited(
                sources.VSPHERE_METRICS.saying("vCPU run time is green below 80 %"),
                sources.ESXTOPDRILL.saying("80 % used"),
                sources.LEASEWEB.saying("80 %"),
            ),
        ),
    ),
    check=sustained_above(share=0.5, run_s=300),
    cause="guest-load",
    why=(
        "The guest has little or no vCPU time left, so its own run queue can grow. The host gives what the VM was "
        "given: the remedy is in the guest or in its size."
    ),
    advice=(
        "Find the process in the guest. If one vCPU is full and the others idle, a single thread is the limit "
        "and more vCPUs do not help."
    ),
    caveats=(
        "A VM with latency sensitivity set to high shows about 100 % on every vCPU whatever it does.",
        "%RUN includes the work of the virtual machine monitor on behalf of the guest.",
    ),
    fires=(
        Example("98 % all the time", {_RUN: 98}, "warning"),
        Example("85 % all the time", {_RUN: 85}, "info"),
        Example("97 % for six minutes of thirty", {_RUN: (20,) * 288 + (97,) * 72}, "warning"),
        Example("just reaches it", {_RUN: 80.5}, "info"),
        Example("just reaches the worse", {_RUN: 95.5}, "warning"),
        Example("just below the worse", {_RUN: 94.5}, "info"),
    ),
    quiet=(
        Example("half busy", {_RUN: 50}),
        Example("a burst of one minute in ten", {_RUN: (20,) * 108 + (99,) * 12}),
        Example("just below", {_RUN: 79.5}),
    ),
)
