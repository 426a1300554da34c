"""What vCPU time did when faults rose and fell: a bracket of regressions, none of which is a cost.

A control that holds a part of the cost takes it out: under a software MMU the guest books what the virtualization
layer does for a hidden fault as its own user time. Without that control the load that comes with faults is in the
slope. So the bracket has both. It still holds other work that moves with or against faults and is in no log.

One reading is out of the guest's reach: vCPU time that the guest booked neither as user nor as system time. No work
of the guest is in it, only work of the layer. Where it rises with faults, whatever else is held, the layer works
for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from esxprobe.arrays import Floats
from esxprobe.correlate.aligned import Samples
from esxprobe.correlate.regression import Fit, regress
from esxprobe.correlate.significance import ROUNDING, effective_samples, left_of
from esxprobe.correlate.slope import Slope, partial_slope, residuals
from esxprobe.model import Association, SlopeReading

# With fewer independent intervals there is no result.
FEWEST_INDEPENDENT = 20.0
# A kind of fault that differs from its own median in fewer intervals says nothing about a slope.
_FEWEST_MOVES = 20
# Controls under which every reading stands: they hold no part of the cost.
_SOUND = ("soft_faults", "hard_faults", "context_switches", "ready", "host_system")
# A guest that waits for PCPUs books the waiting as its own time, unless it subtracts it: above this share of its
# vCPU time what it booked is not compared with what it got. Rule of thumb.
_WAITING_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Found:
    """An association, and the points and line of its main reading for a chart."""

    association: Association
    slope: Slope


def associate(samples: Samples, kind: str) -> Found | None:
    """Reads one kind of fault; None where there is too little, or it does not move of its own.

    Args:
        samples: The analyzed intervals.
        kind: The guest's counter of faults.
    """
    faults = samples.guest[kind]
    if not _moves(faults) or not left_of(samples.vcpu, samples.vcpu):
        return None
    controls = _controls(samples, kind)
    table = _table(controls, len(faults))
    n_eff = _independent(samples, faults, table)
    if n_eff < FEWEST_INDEPENDENT:
        return None
    classes, weights = _classes(samples, kind)
    main = regress(samples.vcpu, classes, table, samples.stretch, weights)
    ranks = partial_slope(samples.vcpu, faults, table, samples.stretch)
    if not np.isfinite(main.value) or not np.isfinite(ranks.value):
        return None
    readings = [_reading(controls, main)]
    if len(weights) == 1:  # what outliers do to a mean they do not do to ranks: both count
        ends = (min(main.low, ranks.low), max(main.high, ranks.high))
        readings = [SlopeReading(tuple(controls), main.value, *ends)]
    without = {name: values for name, values in controls.items() if name != "user_time"}
    if len(without) < len(controls):
        fit = regress(samples.vcpu, classes, _table(without, len(faults)), samples.stretch, weights)
        readings += [_reading(without, fit)] if np.isfinite(fit.value) else []
    if (less := _less_waiting(samples)) is not None and "user_time" in controls:
        fit = regress(
            samples.vcpu, classes, _table({**controls, "user_time": less}, len(faults)), samples.stretch, weights
        )
        readings += [_reading({**without, "user_time_less_waiting": less}, fit)] if np.isfinite(fit.value) else []
    found = Association(
        us=main.value,
        low_us=min(each.low for each in readings),
        high_us=max(each.high for each in readings),
        readings=tuple(readings),
        unbooked=_unbooked(samples, kind),
        p=main.p,
        q=np.nan,
        n_eff=n_eff,
        detectable_us=(readings[0].high - readings[0].low) / 2,
    )
    return Found(found, ranks)


def _moves(faults: Floats) -> bool:
    away = np.abs(faults - np.median(faults)) if len(faults) else faults
    return bool((away > ROUNDING * np.abs(faults).max(initial=0.0)).sum() >= _FEWEST_MOVES)


def _controls(samples: Samples, kind: str) -> dict[str, Floats]:
    """What else moves vCPU time. System time is none: it holds the guest's fault handler."""
    series = {**samples.guest, **samples.host}
    wanted = [name for name in series if name in (*_SOUND, "user_time") and name != kind]
    return {name: series[name] for name in wanted if left_of(series[name], series[name])}


def _table(controls: Mapping[str, Floats], count: int) -> Floats:
    return np.column_stack(list(controls.values())) if controls else np.empty((count, 0))


def _classes(samples: Samples, kind: str) -> tuple[Floats, Floats]:
    """Faults, and those of huge pages beside them, which cost far more: the mean of both is asked for."""
    faults, huge = samples.guest[kind], samples.guest.get("thp_faults")
    if kind == "hard_faults" or huge is None or not _moves(huge) or not faults.mean() > 0:
        return faults[:, None], np.ones(1)
    return np.column_stack((faults, huge)), np.array([1.0, float(huge.mean() / faults.mean())])


def _independent(samples: Samples, faults: Floats, controls: Floats) -> float:
    basis = np.column_stack((np.ones(len(faults)), controls.reshape(len(faults), -1)))
    left = residuals(basis, faults), residuals(basis, samples.vcpu)
    if not (left_of(left[0], faults) and left_of(left[1], samples.vcpu)):
        return 0.0
    return effective_samples(*left, samples.stretch, basis.shape[1] - 1)


def _reading(controls: Mapping[str, Floats], fit: Fit) -> SlopeReading:
    return SlopeReading(tuple(controls), fit.value, fit.low, fit.high)


def _waits(samples: Samples) -> bool:
    waiting = samples.host.get("ready")
    return waiting is not None and bool(waiting.mean() > _WAITING_SHARE * samples.vcpu.mean())


def _less_waiting(samples: Samples) -> Floats | None:
    """The guest's user time without the part that was waiting; None where it did not wait, or logged none."""
    user = samples.guest.get("user_time")
    if user is None or not _waits(samples):
        return None
    share: Floats = samples.vcpu / np.maximum(samples.vcpu + samples.host["ready"], 1e-9)
    return user * share


def _unbooked(samples: Samples, kind: str) -> SlopeReading | None:
    """Time that the guest did not book, against faults: the lower of two readings; None where its log lacks one."""
    user, system = samples.guest.get("user_time"), samples.guest.get("system_time")
    if user is None or system is None:
        return None
    if _waits(samples):
        return None
    left = samples.vcpu - user - system
    sound = {name: values for name, values in _controls(samples, kind).items() if name != "user_time"}
    classes, weights = _classes(samples, kind)
    sets: Sequence[dict[str, Floats]] = (sound, {**sound, "user_time": user, "system_time": system})
    fits = [(each, regress(left, classes, _table(each, len(left)), samples.stretch, weights)) for each in sets]
    known = [_reading(each, fit) for each, fit in fits if np.isfinite(fit.value)]
    return min(known, key=lambda reading: reading.low) if len(known) == len(sets) else None
