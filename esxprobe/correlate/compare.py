"""The same VM in two captures, one with a software and one with a hardware MMU: what the software MMU cost.

A difference between two captures is a difference between two stretches of time. It is attributed to the monitor
mode only where everything else that is known agrees: the machine and its release and clock, and the guest's work as
its own log counts it. What that work still differs by is taken off the difference at one end and added at the
other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from esxprobe.correlate.cost_words import worded
from esxprobe.correlate.numbers import say, us
from esxprobe.correlate.statistics import KINDS
from esxprobe.correlate.verdict import judge
from esxprobe.model import FaultComparison, FaultCost, Likeness, MeasuredShare

# Loads within a tenth of each other are the same: a rule of thumb. What they differ by widens the interval all the
# same.
SAME_SHARE = 0.1
# What a context switch takes on bare metal, to turn a difference of switches into time: rule of thumb [µs].
_SWITCH_US = 1.5
_Z = 1.96
# Power policies under which a host does not lower its clock.
_FULL_CLOCK = frozenset({"high performance", "static"})


@dataclass(frozen=True, slots=True)
class Setting:
    """What a capture ran on; empty and NaN where it is not known.

    Attributes:
        cpu_model: Name of the CPU.
        build: Product and build of the host.
        power_policy: Name of the policy.
        clock_pct: %A/MPERF, mean over PCPUs: the clock that was reached [% of the nominal one].
        vcpus: vCPUs of the VM.
    """

    cpu_model: str = ""
    build: str = ""
    power_policy: str = ""
    clock_pct: float = math.nan
    vcpus: int = 0


def compare(problem: FaultCost, baseline: FaultCost, here: Setting, there: Setting) -> FaultComparison:
    """Differences between two captures of one VM, problem less baseline.

    Args:
        problem: This capture's figures.
        baseline: The other one's.
        here: What this capture ran on.
        there: What the other one ran on.
    """
    software, hardware = (problem, baseline) if problem.mmu == "software" else (baseline, problem)
    extra = software.rates.run_pct - hardware.rates.run_pct
    error = _Z * math.hypot(problem.rates.run_error, baseline.rates.run_error)
    slack = _slack(problem, baseline)
    rate = software.rates.mean
    likenesses = tuple(_likenesses(problem, baseline, here, there))
    modes = {problem.mmu, baseline.mmu} == {"hardware", "software"}
    found = FaultComparison(
        vm=problem.vm,
        guest_counter=problem.guest_counter,
        mmu_problem=problem.mmu,
        mmu_baseline=baseline.mmu,
        fault_rate_problem=problem.rates.mean,
        fault_rate_baseline=baseline.rates.mean,
        run_pct_problem=problem.rates.run_pct,
        run_pct_baseline=baseline.rates.run_pct,
        extra_pct=extra,
        extra_low=extra - error - slack,
        extra_high=extra + error + slack,
        extra_us=extra * 1e4 / rate if rate > 0 else math.nan,
        likenesses=likenesses,
        attributed=False,
        statement="",
    )
    attributed = modes and all(each.same for each in likenesses) and found.extra_low > 0
    found = replace(found, attributed=attributed)
    return replace(found, statement=" ".join(_words(found)))


def with_comparison(cost: FaultCost, found: FaultComparison) -> FaultCost:
    """The cost with what a comparison measured, judged anew; as it was where nothing was attributed to the mode."""
    if not found.attributed or cost.mmu != "software" or cost.guest_counter == "hard_faults":
        return cost
    measured = MeasuredShare(found.extra_pct, found.extra_low, found.extra_high, "comparison")
    made = replace(cost, measured=measured, compared=found)
    return worded(replace(made, verdict=judge(made)))


def _slack(problem: FaultCost, baseline: FaultCost) -> float:
    """What the logged loads differ by, as vCPU time [% of one vCPU]; infinite where they are not logged."""
    parts = (
        abs(problem.load.user_pct - baseline.load.user_pct),
        abs(problem.load.system_pct - baseline.load.system_pct),
        abs(problem.load.switches - baseline.load.switches) * _SWITCH_US / 1e4,
    )
    return sum(parts) if all(map(math.isfinite, parts)) else math.inf


def _likenesses(problem: FaultCost, baseline: FaultCost, here: Setting, there: Setting) -> list[Likeness]:
    numbers = [
        ("user time", problem.load.user_pct, baseline.load.user_pct, "% of one vCPU"),
        ("system time", problem.load.system_pct, baseline.load.system_pct, "% of one vCPU"),
        ("context switches", problem.load.switches, baseline.load.switches, "per second"),
        (KINDS[problem.guest_counter], problem.rates.mean, baseline.rates.mean, "per second"),
    ]
    return [*machine(here, there), *(_number(*each) for each in numbers)]


def machine(here: Setting, there: Setting) -> list[Likeness]:
    """What two captures ran on, side by side."""
    texts = [
        ("CPU model", here.cpu_model, there.cpu_model),
        ("release and build", here.build, there.build),
        ("vCPUs", str(here.vcpus or ""), str(there.vcpus or "")),
    ]
    if here.power_policy or there.power_policy:
        texts.append(("power policy", here.power_policy, there.power_policy))
    alike = [Likeness(name, one, two, (one == two) if one and two else None) for name, one, two in texts]
    return [*alike, _clock(here, there)]


def _clock(here: Setting, there: Setting) -> Likeness:
    """Whether both ran at the same clock: as counted (from 6.5 on), or by policies that never lower it."""
    name = "PCPU clock (%A/MPERF)"
    if math.isfinite(here.clock_pct) or math.isfinite(there.clock_pct):
        return _number(name, here.clock_pct, there.clock_pct, "%")
    policies = (here.power_policy, there.power_policy)
    if all(each.casefold() in _FULL_CLOCK for each in policies):
        sentences = [f"not counted; policy {each}" for each in policies]
        return Likeness(name, sentences[0], sentences[1], same=True)
    return Likeness(name, "", "", None)


@dataclass(frozen=True, slots=True)
class HostWork:
    """What a whole capture ran on, and how much work there was; NaN where it is not known.

    Attributes:
        setting: The machine; its vCPUs are those of all VMs.
        vms: Number of VMs.
        util_pct: PCPU UTIL(%), 95th percentile [%].
        commands_s: CMDS/s of all devices, mean [1/s].
        guests: Guests that were logged in both captures.
        faults_s: Their soft page faults, mean [1/s].
    """

    setting: Setting
    vms: int
    util_pct: float
    commands_s: float
    guests: int
    faults_s: float


def hosts_side_by_side(here: HostWork, there: HostWork) -> tuple[Likeness, ...]:
    """Two captures by machine and work: numbers of things have to be equal, work the same within a tenth."""
    counted = Likeness("VMs", str(here.vms), str(there.vms), here.vms == there.vms)
    work = [
        _number("PCPU UTIL(%), p95", here.util_pct, there.util_pct, "%"),
        _number("CMDS/s of all devices", here.commands_s, there.commands_s, "per second"),
    ]
    if here.guests:
        guests = f"{here.guests} {'guest' if here.guests == 1 else 'guests'}"
        work.append(_number(f"page faults of {guests} logged in both", here.faults_s, there.faults_s, "per second"))
    return (*machine(here.setting, there.setting), counted, *work)


def _number(name: str, one: float, two: float, unit: str) -> Likeness:
    same = abs(one - two) <= SAME_SHARE * max(one, two) if math.isfinite(one) and math.isfinite(two) else None
    shown = [f"{say(value)} {unit}" if math.isfinite(value) else "" for value in (one, two)]
    return Likeness(name, shown[0], shown[1], same)


def _words(found: FaultComparison) -> list[str]:
    kind = KINDS[found.guest_counter]
    sentences = [
        f"{found.vm} took {say(found.fault_rate_problem)} {kind} per second ({say(found.fault_rate_baseline)} in"
        f" the baseline) and used {say(found.run_pct_problem)} % of one vCPU ({say(found.run_pct_baseline)} % in"
        " the baseline)."
    ]
    modes = (found.mmu_problem, found.mmu_baseline)
    if "unknown" in modes:
        return [*sentences, "A monitor mode is unknown, so none of the difference is attributed to it."]
    if modes[0] == modes[1]:
        return [
            *sentences,
            f"The MMU was {modes[0]} in both captures: a difference comes from the guest, its workload or the"
            " host, not from the monitor mode.",
        ]
    return sentences + _across_modes(found)


def _across_modes(found: FaultComparison) -> list[str]:
    if not math.isfinite(found.extra_pct):
        return ["vCPU time is not known in one of the captures, so the two are not compared."]
    apart = [each for each in found.likenesses if each.same is False]
    unknown = [each.name for each in found.likenesses if each.same is None]
    interval = f"95 % interval {say(found.extra_low)} to {say(found.extra_high)} %"
    if found.attributed:
        return [
            f"The MMU was software in one capture and hardware in the other, and {_names(found)} agree. The"
            f" software MMU cost {say(found.extra_pct)} % of one vCPU under this workload ({interval}). It traps"
            f" page faults and context switches; if it was due to faults only, each fault cost "
            f"{us(found.extra_us)}."
        ]
    if found.extra_pct <= 0:
        return ["The capture with the software MMU did not use more vCPU time, so no cost of it is shown."]
    sentences = [
        f"The capture with the software MMU used {say(found.extra_pct)} % of one vCPU more. These two captures"
        " do not show how much of it was the cost of the software MMU."
    ]
    if apart:
        differs = "; ".join(f"{each.name} ({each.problem}, baseline {each.baseline})" for each in apart)
        sentences.append(f"The two differ in more than the MMU: {differs}.")
    if unknown:
        sentences.append(f"Not known in both captures: {', '.join(unknown)}.")
    if not apart and not unknown:
        sentences.append(f"It is not larger than the other differences between the two captures ({interval}).")
    return sentences


def _names(found: FaultComparison) -> str:
    names = [each.name for each in found.likenesses]
    return f"{', '.join(names[:-1])} and {names[-1]}"
