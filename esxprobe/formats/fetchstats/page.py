"""The formulas as a page for people: docs/fetchstats.md is this module's output.

`python -m esxprobe.formats.fetchstats.page` prints it.
"""

from __future__ import annotations

from collections.abc import Sequence

from esxprobe.formats.fetchstats.derive import GROUP_CPU, MEMBERS
from esxprobe.formats.fetchstats.fields import KNOWN, RELEASE
from esxprobe.formats.fetchstats.formulas import CLOCKS, FORMULAS, SUMMED, Formula

_INTRO = f"""\
# Captures without SSH: raw counters of vSphere's esxtop service

Azure VMware Solution, VMware Cloud and hosts in lockdown mode have no SSH access. vSphere's service `Esxtop`
(ServiceManager of a host, or of vCenter since 6.0) gives the counters of which esxtop is made. esxprobe reads
these files as captures:

```sh
esxprobe report esxtop_esx01_20260410_090000.csv    # Azure VMware Solution: Run command Get-EsxtopData
cat counterinfo.txt fetchstats-*.txt > host01.txt   # the texts of the service as they stand, oldest first
esxprobe report host01.txt                          # also .gz and .zst
esxprobe collect --api root@esx01                   # takes them from the service: collecting.md
```

All other commands read them too; `esxprobe redact` writes a copy in esxtop's format. At least two FetchStats
are needed, for rates are differences. The service counts again after 2 s at the earliest. Azure's files have at
most six samples within 30 s: rules that need minutes cannot be judged by them. Files of one host can be joined,
oldest first (`cat 1.csv 2.csv > host01.csv`).

- **Time** is the host's own, from the text. Intervals are differences of the host's time since boot [us]; the
  first sample covers the time since boot and is excluded from all rates, as in esxtop's own file.
- **Layout.** `CounterInfo` names the fields of each type. Without it (Azure's files have none) a type is read
  if its lines have the number of fields that vSphere {RELEASE} has, the only release whose CounterInfo is
  public, and if the states of its worlds add up to their time; other types are named under *capture quality*
  and not used. A file whose time cannot be read this way is refused, with the way to get CounterInfo.
- **Counters that went back** belong to an object that was restarted: it has no rates for that interval. 32-bit
  counters that began at 0 again are continued. A group has no sums where one of its worlds has no value.
- **Damage.** Every line must have the fields of its type. Lines that do not, objects that are listed and have
  no values, and repeated FetchStats are counted ([quality.md](quality.md)). A `|` in a name is understood where
  only one reading is possible.
- **Not known**: the host's facts. Its name and build are not in the text either. Azure's file name has the name;
  a folder of `collect --api` has it too, and the build where the host itself was asked, not a vCenter. Other files
  are of `unnamed-host`.

## Formulas

*d* is the difference of a field in two FetchStats, *t* the difference of the object's own clock [us]
(`ElapsedTimeInUsec` of a logical CPU, `UpTimeInUsec` of a world), *s* that of the host's [s].

- **checked**: the relation holds on a real FetchStats of vSphere {RELEASE}, or the field's name says what it is
  and in which unit;
- **documented**: a source states the formula;
- **inferred**: no source states it. `(inferred)` is added to the counter's name, and no rule uses it. Explore,
  `esxprobe extract` and Python show it.

The report's *capture quality* and the JSON's `quality` (`service-derived`, `service-inferred`) list the
counters of a capture by this grade. `Average Queue MilliSec/Command` is not derived: what LayerTime and
QueueTime add up is unknown. Paths, partitions, virtual disks, interrupts, power states and vSAN are not derived
yet; `service-not-derived` names their types.

| counter | formula | grade | source |
|---|---|---|---|
"""


def _changes(fields: Sequence[str]) -> str:
    """The sum of the differences of fields; `-` before one subtracts it."""
    return " + ".join(f"d{name}" if name[0] != "-" else f"-d{name[1:]}" for name in fields).replace("+ -", "- ")


def _text(formula: Formula) -> str:
    """The formula in symbols."""
    fields = [f"-{name[1:]}" if name[0] == "-" else name for name in formula.fields]
    level = " + ".join(fields).replace("+ -", "- ")
    change = _changes(fields)
    if len(fields) > 1:
        level, change = f"({level})", f"({change})"
    scale = {
        1.0: "",
        1 / 1024: " / 1024",
        0.01: " / 100",
        1e-3: " / 1000",
        8e-6: " x 8 / 10^6",
        2.0**-20: " / 2^20",
    }
    by = scale[formula.scale]
    if formula.how in {"level", "members"}:
        return level + by
    if formula.how == "rate":
        return f"{change}{f' x {formula.times}' if formula.times else ''} / s{by}"
    if formula.how == "mean":
        parts = " + ".join(f"d{name}" if name[0] != "-" else f"-d{name[1:]}" for name in fields[:-1]).replace(
            "+ -", "- "
        )
        return f"{f'({parts})' if len(fields) > 2 else parts} / d{fields[-1]}{by}"
    if formula.how == "part":
        return f"100 d{fields[0]} / {change}"
    share = f"100 {change} / t"
    return share if formula.how == "share" else f"100 - {share}"


def render_fetchstats() -> str:
    """The whole page as Markdown."""
    rows = [
        f"| `{each.object_name}\\{each.counter}` | {each.type_name}: {_text(each)} "
        f"| {each.status} | {each.source} |"
        for each in FORMULAS
    ]
    sums = ", ".join(SUMMED)
    rows.append(
        f"| `{GROUP_CPU}\\` {sums} | the sum over the worlds (VCPU) of the SchedGroup; worlds that were started "
        "in the interval with what they counted | documented | vSphere's esxtop manual: a group's are sums |"
    )
    rows.append(f"| `{GROUP_CPU}\\{MEMBERS}` | SchedGroup: NumOfCPUClients | documented | likewise |")
    clocks = ", ".join(f"{name}.{field}" for name, field in CLOCKS.items())
    tail = (
        f"\nClocks: {clocks}, Server.TimeStampInUsec. Types of vSphere {RELEASE} that are known without "
        f"CounterInfo: {', '.join(f'{name} ({len(KNOWN[name].fields)} fields)' for name in KNOWN)}.\n"
    )
    return _INTRO + "\n".join(rows) + "\n" + tail


if __name__ == "__main__":
    print(render_fetchstats(), end="")
