"""The last look: an original is found however it is written, and a word of the report is not an original."""

import html
import json
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esxprobe.errors import OutputError
from esxprobe.redact import Names, Redactor, Scan

WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "other case": str.upper,
    "html": html.escape,
    "html by numbers": lambda name: "".join(f"&#{ord(letter)};" for letter in name),
    "html by hexadecimal numbers": lambda name: "".join(f"&#x{ord(letter):x};" for letter in name),
    "json": lambda name: json.dumps(name)[1:-1],
    "json with letters": lambda name: json.dumps(name, ensure_ascii=False)[1:-1],
    "json in html": lambda name: json.dumps(name).replace("<", "\\u003c").replace("&", "\\u0026"),
    "html in json": lambda name: json.dumps(html.escape(name)),
    "url": urllib.parse.quote,
    "url in html": lambda name: html.escape(urllib.parse.quote(name, safe="")),
}
NAMES = (
    "db01",
    "Kunde Müller & Söhne",
    "a<b>\"c'",
    "🐘 elephant",
    "web/prod\\01",
    "naa.600a0980",
    "fe80::20c:29ff",
)


def scan_for(*names: str) -> Scan:
    redactor = Redactor(Names(b"k" * 32))
    for name in names:
        redactor.names.of("vm", name)
    return Scan(redactor)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_an_original_is_found_however_it_is_written(name: str, way: Callable[[str], str]) -> None:
    scan = scan_for(name, "other")
    assert list(scan.found(f"<p>before {way(name)}, behind</p>", own="<p>before , behind</p>"))
    assert not list(scan.found("<p>before vm-12345, behind</p>", own="<p>before , behind</p>"))


def test_a_short_name_is_not_found_inside_longer_words() -> None:
    scan = scan_for("db", "db0", "host01")
    assert not list(scan.found("sandbox, db012, adb01, ghost011, sha256 1db0a2", own=""))
    assert len(list(scan.found("sandbox db-0", own=""))) == 1
    assert len(list(scan.found("the host01.csv of db0_x", own=""))) == 2


def test_a_word_of_the_report_may_stand_where_the_report_says_it() -> None:
    scan = scan_for("report", "the", "a", "Memory")
    own = "<h1>name</h1><p>the report says a word of Memory</p>"
    assert not list(scan.found(own.replace("name", "vm-11111"), own=own))
    assert len(list(scan.found(own.replace("name", "Report"), own=own))) == 1
    assert len(list(scan.found(own.replace("name", "the report"), own=own))) == 2


def test_a_hit_stops_and_tells_the_pseudonym_alone() -> None:
    scan = scan_for("kunde-sql")
    with pytest.raises(OutputError) as caught:
        scan.check("<td>kunde-sql</td>", "the HTML", own="<td></td>")
    said = caught.value.message + caught.value.hint
    assert "kunde" not in said
    assert "nothing was written" in said
    assert Names(b"k" * 32).of("vm", "kunde-sql") in said


@given(
    name=st.text(st.characters(codec="utf-8"), min_size=4, max_size=20).filter(lambda t: any(map(str.isalpha, t)))
)
def test_whatever_a_thing_is_called_it_is_found_in_plain_text_html_and_json(name: str) -> None:
    scan = scan_for(name)
    if scan_for(name)._redactor.is_ordinary(name):
        return
    for text in (f" {name} ", f" {html.escape(name)} ", f" {json.dumps(name)} "):
        assert list(scan.found(text, own=""))


def test_code_that_both_pages_share_is_no_name_and_hides_none() -> None:
    scan = scan_for("function", "kunde-sql")
    code = "<script>function kunde() {}</script>"
    own = f"<p>name</p>{code}<script type='application/json'>[]</script>"
    assert not list(scan.found(own.replace("name", "vm-11111"), own=own))
    assert len(list(scan.found(own.replace("name", "Function"), own=own))) == 1
    assert len(list(scan.found(own.replace("[]", '["kunde-sql"]'), own=own))) == 1
    assert len(list(scan.found(own.replace("{}", "{'kunde-sql'}"), own=own))) == 1
