"""What the parts of a host's model share: the block of samples that is being filled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from esxprobe.arrays import Matrix
    from esxprobe.lab.layout import HeaderLayout
    from esxprobe.lab.plan import HostPlan


class Block(Protocol):
    """The block of samples that a host's model is filling."""

    plan: HostPlan
    layout: HeaderLayout
    fixed: np.random.Generator
    horizon: int
    at: slice
    t: Matrix
    level: Matrix
    wave: Matrix

    def put(self, object_name: str, values: Mapping[str, Any]) -> None:
        """Place one array per counter."""

    def noise(self, width: int, share: float = 1.0) -> Matrix:
        """Factors around 1."""

    def rate(self, per_second: Matrix) -> Matrix:
        """A rate as esxtop can see it."""

    def row(self, name: str) -> Matrix:
        """The tracks of all VMs in this block."""

    def host_row(self, name: str) -> Matrix:
        """A knob of the host in this block."""
