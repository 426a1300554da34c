"""What a person says about fault probes and experiments on the command line, and is asked before one runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from esxprobe.commands.options import seconds
from esxprobe.commands.streams import printable, say
from esxprobe.errors import UsageError

if TYPE_CHECKING:
    from esxprobe.collect.experiment import FaultPlan
    from esxprobe.model.manifest import FaultRun

_DEFAULT_S = 300
# Shares of one vCPU that may be injected [%]: below them nothing can be measured, above them the load is not small.
_LEAST_PCT, _MOST_PCT = 1.0, 25.0


@dataclass(frozen=True, slots=True)
class FaultWords:
    """What the command line says of probes and experiments.

    Attributes:
        probe: VMs whose guests are probed.
        experiment: VMs whose guests have an experiment, as `VM`, `VM=TIME` or `VM:TIME`.
        budget: Share of one vCPU that it may take, as `10` or `10%`.
        single_vcpu: Whether a VM with one vCPU may have it.
        yes: Whether the prompt is skipped.
    """

    probe: Sequence[str] = ()
    experiment: Sequence[str] = ()
    budget: str = "10%"
    single_vcpu: bool = False
    yes: bool = False

    def __bool__(self) -> bool:
        return bool(self.probe or self.experiment)


NO_FAULTS = FaultWords()


def fault_plans(words: FaultWords, vms: Sequence[str]) -> tuple[FaultPlan, ...]:
    """What is to run in which of the guests.

    Args:
        words: What the command line says.
        vms: The VMs whose guests are collected.

    Raises:
        UsageError: A VM has no guest here, a time or a share is none, or two experiments would run at once.
    """
    from esxprobe.collect.experiment import FaultPlan

    budget_pct = _share(words.budget)
    if len(words.experiment) > 1:
        raise UsageError(
            "two fault experiments at once", hint="run one experiment per host, because the loads would mix"
        )
    experiments = [_named(text, vms) for text in words.experiment]
    plans = [FaultPlan(vm, length_s, budget_pct, words.single_vcpu) for vm, length_s in experiments]
    probes = [vm for vm in dict.fromkeys(words.probe) if vm not in {plan.vm for plan in plans}]
    plans += [FaultPlan(vm) for vm in probes]
    for plan in plans:
        if plan.vm not in vms:
            known = ", ".join(repr(vm) for vm in vms)
            hint = f"these have one: {known}" if known else "name its guest: --guest VM=ssh://user@address"
            raise UsageError(f"no guest of a VM named {plan.vm!r} is collected", hint=hint)
    return tuple(plans)


def agree(plans: Sequence[FaultPlan], *, yes: bool) -> None:
    """Asks a person before an experiment runs; a probe alone takes two seconds and is not asked for.

    Raises:
        UsageError: There is no terminal to ask on, or the answer is no.
    """
    for plan in (plan for plan in plans if plan.experiment_s is not None and not yes):
        if not sys.stdin.isatty():
            raise UsageError(
                "the fault experiment needs a confirmation, and there is no terminal to ask on",
                hint="add --yes to allow it",
            )
        say(_what_it_does(plan), err=True)
        if not typer.confirm("Run it?", default=False, err=True):
            raise UsageError("the fault experiment was not allowed", hint="leave out --fault-experiment")


def _what_it_does(plan: FaultPlan) -> str:
    from esxprobe.collect.experiment import PLAIN_S

    minutes = (plan.experiment_s or 0) / 60
    return (
        f"Fault experiment in the guest of {printable(plan.vm)}: after a probe of two seconds and {PLAIN_S // 60}"
        f" minutes of plain capture a small program runs in the guest for {minutes:g} minutes (python3, perl or"
        " PowerShell, from the command line; nothing is installed or written there). In blocks drawn at random it"
        f" touches and gives back pages of 1 MB of memory, for up to {plan.budget_pct:g} % of one vCPU, half of the"
        " time. The guest's own work can be slower by that much: the program takes vCPU time and cache, and under a"
        " software MMU the layer has more shadow pages to keep. It does not start where the capture shows that it"
        " could not tell anything, memory reclaim, %RDY above 5 % or vCPUs above 80 %. It ends within a second when"
        " its connection closes (Ctrl-C) or memory in the guest runs short."
    )


def render_run(host: str, run: FaultRun) -> str:
    """A line on a run that begins or is over."""
    where = f"{printable(host)}: fault {run.kind} in {printable(run.vm)}"
    if run.outcome != "running":
        return f"{where}: {run.outcome}{f': {printable(run.reason)}' if run.reason else ''}"
    pairs = len(run.order) // 2
    blocks = f"{pairs} pairs of blocks of {run.block_s:g} s, {run.rate:,.0f} pages/s"
    if run.forecast_pct is None:
        return f"{where}: begins, {blocks}"
    return (
        f"{where}: begins, {blocks}; forecast: the effect on vCPU time will be known to ±{run.forecast_pct:.2g} %"
    )


def _named(text: str, vms: Sequence[str]) -> tuple[str, int]:
    """`VM`, `VM=TIME` or `VM:TIME`; a VM may have such signs in its name."""
    if text in vms:
        return text, _DEFAULT_S
    for sign in "=:":
        vm, found, length = text.rpartition(sign)
        if found and vm:
            with suppress(UsageError):
                return vm, round(seconds(length))
            if vm in vms:
                raise UsageError(f"{length!r} is not a valid duration", hint="write 90s, 5m or 300")
    return text, _DEFAULT_S


def _share(text: str) -> float:
    try:
        share = float(text.strip().removesuffix("%"))
    except ValueError:
        share = float("nan")
    if not _LEAST_PCT <= share <= _MOST_PCT:
        raise UsageError(
            f"{text!r} is not a valid share of a vCPU for an experiment",
            hint=f"between {_LEAST_PCT:g}% and {_MOST_PCT:g}%",
        )
    return share
