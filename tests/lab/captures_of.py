"""Captures of the model, for several test modules."""

import csv
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
from hostsim import HostPlan, write_capture

PATH = re.compile(r"\\\\[^\\]+\\([^\\(]+)(?:\((.*)\))?\\([^\\]+)")

ROUNDING = 0.005 + 1e-6  # of one printed number


class Capture:
    """A capture read the slow way; `capture[object, counter]` is a matrix of samples x instances."""

    def __init__(self, text: str) -> None:
        self.text = text
        header, *rows = csv.reader(text.splitlines())
        self.names, self.cells = header[1:], [row[1:] for row in rows]
        self.values = np.array(self.cells, float)
        where = defaultdict(list)
        for position, name in enumerate(self.names):
            object_name, instance, counter = PATH.fullmatch(name).groups()
            where[object_name, counter].append((instance, position))
        self.where = dict(where)

    def __getitem__(self, key: tuple[str, str]) -> np.ndarray:
        return self.values[:, [position for _, position in self.where[key]]]

    def instances(self, object_name: str, counter: str) -> list[str]:
        return [instance for instance, _ in self.where[object_name, counter]]

    def vcpus(self, vm: str, counter: str) -> np.ndarray:
        """The vCPU worlds of a VM, without the first sample."""
        own = [re.search(rf":{vm}:\d+:vmx-vcpu-\d+:", name) for name in self.instances("Vcpu", counter)]
        return self["Vcpu", counter][1:, [bool(match) for match in own]]

    def group(self, vm: str, counter: str) -> np.ndarray:
        names = self.instances("Group Memory", counter)
        return self["Group Memory", counter][1:, [name.endswith(f":{vm}") for name in names]][:, 0]


def capture_of(plan: HostPlan, folder: Path) -> Capture:
    write_capture(folder / "esxtop.csv", plan)
    return Capture((folder / "esxtop.csv").read_text(encoding="utf-8"))
