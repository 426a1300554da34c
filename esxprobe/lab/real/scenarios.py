"""The guests of `esxprobe demo --real`: a few hundred faults/s, and as many as a vCPU can take."""

from __future__ import annotations

from esxprobe.lab.real.guests import Kind, Layer, LoadPlan, RealGuest

# The collector's own commands add some hundred faults per sample.
INTRANET = LoadPlan("indep", faults_s=250, kernel_pct=4, user_pct=15, seed=11)
# At 60 µs per fault, 16,000 faults/s use a whole vCPU.
CGI = LoadPlan("indep", faults_s=10_000, kernel_pct=3, user_pct=8, seed=12)


def demo_guests(layer: Layer) -> tuple[RealGuest, RealGuest]:
    """The guests, with the VM names of the simulated demo."""
    return RealGuest("intranet", layer, INTRANET), RealGuest("cgi01", layer, CGI)


def background(kind: Kind, faults_s: float = 2_000.0, seed: int = 1) -> LoadPlan:
    """A workload of each kind for tests of the analysis, about 20 to 40 % of a vCPU on user-mode-linux.

    Args:
        kind: How it varies.
        faults_s: Mean rate of first touches, except for `fork` and `idle` [1/s].
        seed: Of the variation.
    """
    if kind == "idle":
        return LoadPlan(kind, seed=seed)
    if kind == "fork":
        return LoadPlan(kind, forks_s=4, kernel_pct=10, user_pct=5, seed=seed)
    return LoadPlan(kind, faults_s=faults_s, kernel_pct=15, user_pct=5, seed=seed)
