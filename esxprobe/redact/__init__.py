"""Reports and captures without the customer's names: pseudonyms, a private map, a scan of what was made."""

from esxprobe.redact.analysis import nameless, redacted_analysis, redacted_events
from esxprobe.redact.cell_names import redacted_cells, redacted_index
from esxprobe.redact.fleet import nameless_fleet
from esxprobe.redact.folder import CaptureCopy
from esxprobe.redact.guests import redacted_guest_log
from esxprobe.redact.learn import learn_capture, no_instances
from esxprobe.redact.manifest import redacted_manifest
from esxprobe.redact.mapfile import load_map, save_map
from esxprobe.redact.name_search import Scan
from esxprobe.redact.names import Names
from esxprobe.redact.redactor import Redactor

__all__ = [
    "CaptureCopy",
    "Names",
    "Redactor",
    "Scan",
    "learn_capture",
    "load_map",
    "nameless",
    "nameless_fleet",
    "no_instances",
    "redacted_analysis",
    "redacted_cells",
    "redacted_events",
    "redacted_guest_log",
    "redacted_index",
    "redacted_manifest",
    "save_map",
]
