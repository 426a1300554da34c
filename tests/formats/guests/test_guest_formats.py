"""A format of guests' logs is whole: an example with its expected frame, a line in the docs, a redaction."""

from pathlib import Path

import pytest

from esxprobe.formats.guests.format import GuestFormat, guest_formats

DATA = Path(__file__).parent / "data"
DOC = (Path(__file__).parents[3] / "docs" / "guests.md").read_text(encoding="utf-8")

each = pytest.mark.parametrize("guest_format", guest_formats(), ids=lambda each: each.name)


class Pseudonyms:
    """Replaces every name by one word."""

    def of(self, kind: str, name: str) -> str:
        return f"{kind}{len(name)}"

    def line(self, text: str) -> str:
        return "-" * len(text)

    def zone(self, text: str) -> str:
        return "-" * len(text)

    def is_zone(self, name: str) -> bool:
        return name == "UTC"


def example(guest_format: GuestFormat) -> Path:
    found = [path for path in DATA.glob(f"{guest_format.name}.*") if path.suffix != ".expected"]
    assert len(found) == 1, f"tests/formats/guests/data needs one {guest_format.name}.*, an example of the format"
    return found[0]


def test_every_format_is_found_by_its_module() -> None:
    assert [each.name for each in guest_formats()] == ["esxprobe", "perfmon", "sadf-d", "sadf-j", "sar", "vmstat"]


@each
def test_a_format_has_an_example_with_what_it_means(guest_format: GuestFormat) -> None:
    path = example(guest_format)
    assert guest_format.recognizes(path.read_bytes()[: 1 << 16]), f"{path.name} is not of this format"
    assert path.with_name(f"{path.name}.expected").exists()


@each
def test_a_format_is_listed_in_the_docs(guest_format: GuestFormat) -> None:
    assert f"\n| {guest_format.title} |" in DOC, f"docs/guests.md does not list {guest_format.title!r}"


@each
def test_a_format_takes_names_out_and_is_still_read_as_itself(guest_format: GuestFormat) -> None:
    content = example(guest_format).read_bytes()
    made = guest_format.redact(content, Pseudonyms())
    assert made is not None
    text, _ = made
    assert guest_format.recognizes(text.encode()[: 1 << 16])
    assert "web01" not in text.casefold()
