"""What the capture itself cost the host."""

from esxprobe.catalog.cpu import ESXTOP_GROUP
from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import mean_above
from esxprobe.rules.record import Example, Rule

_USED = r"Group Cpu\% Used"

RULE = Rule(
    id="observer-cost",
    title="Taking the capture used CPU time of the host (%USED)",
    entity="group",
    value=f'"{_USED}"',
    label="%USED of esxtop",
    unit="%",
    levels=(
        Level("warning", 50, sources.rule_of_thumb("half a PCPU; on a host with 16 VMs esxtop used about 1 %")),
        Level(
            "info",
            20,
            sources.rule_of_thumb(
                "a fifth of a PCPU; on a host with 16 VMs esxtop used about 1 %",
                sources.GREAVES.saying(
                    "esxtop can use much CPU on large hosts: limit its fields; without a number"
                ),
            ),
        ),
    ),
    check=mean_above(),
    cause="capture",
    why="esxtop is in its own capture. On hosts with many worlds it can disturb what it measures.",
    advice="Use a longer interval, or limit what is captured.",
    caveats=("100 % is one PCPU, whatever the host's number of them.",),
    fires=(
        Example("80 % of a PCPU", {_USED: 80}, "warning"),
        Example("30 % of a PCPU", {_USED: 30}, "info"),
        Example("just reaches it", {_USED: 20.5}, "info"),
        Example("just reaches the worse", {_USED: 50.5}, "warning"),
        Example("just below the worse", {_USED: 49.5}, "info"),
    ),
    quiet=(Example("as on most hosts", {_USED: 2}), Example("just below", {_USED: 19.5})),
    only=ESXTOP_GROUP,
)
