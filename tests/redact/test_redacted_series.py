"""The series of many captures are redacted when all names are known: the index of a page, not the cells."""

from pathlib import Path

import pytest
from customer_names import HOSTILE, ORDINARY
from customers import Customer, capture_of
from shippedbook import all_needs

from esxprobe.formats.esxtop import read_with_cells
from esxprobe.formats.printed_cells import CaptureCells
from esxprobe.redact import Names, Redactor, learn_capture, redacted_cells, redacted_index
from esxprobe.report.embedding import SurveyAhead, embedded

SAMPLE = Path(__file__).parents[2] / "samples/software-mmu/esxtop-000.csv.gz"


def cells_of(path: Path, *, every: bool) -> CaptureCells:
    return read_with_cells([path], all_needs(), every=every).cells


@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("vms", [ORDINARY, tuple(name for name in HOSTILE if '"' not in name), None])
def test_it_is_what_redacted_cells_would_have_given(
    vms: tuple[str, ...] | None, every: bool, tmp_path: Path
) -> None:
    path = SAMPLE
    if vms is not None:
        path = tmp_path / "a.csv"
        # A counter that esxtop does not have, of a thing that no grammar knows; and a cell that is a word.
        data = capture_of(Customer(vms=vms), extra=(r"\\acme-host\Acme Things(acme-thing)\Acme Count",))
        before, last, after = data.rpartition(b',"')
        path.write_bytes(before + last + b'acme-word"\n' if after else data)
    redactor = Redactor(Names(b"k" * 32))
    instances = learn_capture([path], None, redactor)
    cells = cells_of(path, every=every)
    plain = embedded(cells, None, None)
    redacted = redacted_cells(cells, instances, redactor)
    wanted = embedded(redacted, None, None)
    # A survey that was begun before the names were known is that of the capture alone.
    assert embedded(redacted, None, None, SurveyAhead(cells)) == wanted
    assert embedded(cells, None, None, SurveyAhead(cells)) == plain
    assert redacted_index(plain.index, instances, redactor) == wanted.index
    assert plain.chunks == wanted.chunks
    if vms is not None and every:
        assert "acme-word" in plain.text
        assert "acme" not in wanted.text
