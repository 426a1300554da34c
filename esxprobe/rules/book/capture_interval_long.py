"""Captures whose samples are so long that their averages hide what users feel."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Rule

_INTERVAL = r"Capture\Interval s"

RULE = Rule(
    id="capture-interval-long",
    title="Samples were averages over a long interval",
    entity="capture",
    value=f'"{_INTERVAL}"',
    label="interval",
    unit="s",
    levels=(
        Level(
            "warning",
            120,
            sources.rule_of_thumb(
                "stalls of seconds, which users report, vanish in two minutes",
                sources.OPERATIONS_GUIDE.saying("300 s is too coarse: peaks are 15 times the mean and more"),
            ),
        ),
        Level(
            "info",
            28,
            sources.cited(
                sources.KB_432752.saying("vCenter's real-time samples are 20 s"),
                sources.OPERATIONS_GUIDE.saying("vCenter's real-time samples are 20 s"),
            ),
        ),
    ),
    check=any_above(),
    cause="capture",
    why=(
        "esxtop prints means of the interval: ten seconds of %RDY at 60 % are 5 % in a sample of two "
        "minutes. A rule that does not fire then proves nothing."
    ),
    advice="Capture again with an interval of 2 to 10 s (-d 5); on very large hosts limit what is "
    "captured instead.",
    fires=(
        Example("five minutes", {_INTERVAL: 300}, "warning", samples=1),
        Example("half a minute", {_INTERVAL: 30}, "info", samples=1),
        Example("just reaches it", {_INTERVAL: 29}, "info", samples=1),
        Example("just reaches the worse", {_INTERVAL: 125}, "warning", samples=1),
        Example("just below the worse", {_INTERVAL: 115}, "info", samples=1),
    ),
    quiet=(
        Example("5 s", {_INTERVAL: 5}, samples=1),
        Example("just below", {_INTERVAL: 27}, samples=1),
    ),
)
