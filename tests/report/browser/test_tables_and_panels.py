"""What a reader does with the page: sorts, filters, folds, follows links, copies; with a pointer or by keys."""

import re

import pytest
from hostile_names import HOSTILE
from opened import Open, Opened

pytestmark = pytest.mark.slow

COLUMN = """([table, column]) => [...document.querySelectorAll(`${table} tbody tr`)].filter(row => !row.hidden)
  .map(row => row.cells[column].innerText.split("\\n")[0].trim())"""
VMS = "#vms table"


def numbers(cells: list[str]) -> list[float]:
    """Numbers in their column's unit: GB stand beside MB."""
    known = [cell.replace(",", "") for cell in cells if cell != "–"]
    return [float(cell.split(" ")[0]) * (1024 if cell.endswith(" GB") else 1) for cell in known]


# --- tables ---------------------------------------------------------------------------------------


def with_vms(open_report: Open) -> Opened:
    """A host of 300 VMs with their table unfolded."""
    report = open_report("wide")
    report.page.locator("#vms summary").first.click()
    return report


def test_a_table_is_sorted_by_keys_down_up_and_back(open_report: Open) -> None:
    report = with_vms(open_report)
    original = report.js(COLUMN, [VMS, 0])
    head = report.page.locator(f"{VMS} th", has_text="MEMSZ")
    head.get_by_role("button").focus()
    for direction in ("descending", "ascending"):
        report.page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == direction
        sizes = numbers(report.js(COLUMN, [VMS, 7]))
        assert sizes == sorted(sizes, reverse=direction == "descending")
        assert len(set(sizes)) > 3
    report.page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") is None
    assert report.js(COLUMN, [VMS, 0]) == original


def test_names_are_sorted_as_people_count_and_severities_by_weight(open_report: Open) -> None:
    report = with_vms(open_report)
    report.page.locator(f"{VMS} th").first.get_by_role("button").click()
    names = report.js(COLUMN, [VMS, 0])
    assert names == sorted(names)
    quality = "#quality table"
    if report.page.locator(f"{quality} tbody tr").count() > 1:
        report.page.locator(f"{quality} th").first.get_by_role("button").click()
        order = [["critical", "warning", "info"].index(word) for word in report.js(COLUMN, [quality, 0])]
        assert order == sorted(order)


def test_a_table_is_filtered_and_says_how_much_is_left(open_report: Open) -> None:
    report = with_vms(open_report)
    every = len(report.js(COLUMN, [VMS, 0]))
    field = report.page.get_by_role("searchbox", name="Filter Table of VMs", exact=True)
    field.fill("vm01 unknown")
    shown = report.js(COLUMN, [VMS, 0])
    assert shown == [name for name in shown if name.startswith("vm01")]
    assert 0 < len(shown) < every
    assert report.page.get_by_text(f"{len(shown)} of {every} rows").is_visible()
    report.page.locator(f"{VMS} th").first.get_by_role("button").click()
    assert sorted(report.js(COLUMN, [VMS, 0])) == sorted(shown), "sorting keeps the filter"
    field.fill("")
    assert len(report.js(COLUMN, [VMS, 0])) == every


# --- panels and links -----------------------------------------------------------------------------


def test_findings_unfold_alone_and_all_at_once(open_report: Open) -> None:
    report = open_report("demo")
    panel = report.page.locator("#findings .finding").first
    words = panel.locator(".words")
    assert not words.is_visible(), "details are folded until somebody wants them"
    assert panel.locator("h4").is_visible()
    assert panel.locator("summary").inner_text().startswith("esx-old.example.com: memory state")
    panel.locator("summary").press("Enter")
    assert words.is_visible()
    report.page.get_by_role("button", name="Expand all").click()
    assert report.page.locator("details:not([open], .thing, .things)").count() == 0
    report.page.get_by_role("button", name="Collapse all", exact=True).click()
    assert report.page.locator(".finding .words:visible, details[open]").count() == 0


def test_an_action_of_a_card_is_copied_without_its_heading(open_report: Open) -> None:
    report = open_report("demo")
    report.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    first = report.page.locator("#first .actions li").first
    first.locator("button").press("Enter")
    report.page.wait_for_function("() => document.querySelector('p[role=status]').textContent === 'Copied as text'")
    assert str(report.js("() => navigator.clipboard.readText()")).startswith("esxtop, memory screen (m)")
    report.page.locator(".ticket summary").click()
    report.page.get_by_role("button", name="Copy: text for a ticket").click()
    report.page.wait_for_function("() => document.querySelector('.ticket .copy').textContent === 'Copied'")
    assert str(report.js("() => navigator.clipboard.readText()")).startswith("# esxprobe: ")


def test_a_permalink_opens_the_folded_panel_and_leads_to_it(open_report: Open) -> None:
    report = open_report("demo")
    report.page.get_by_role("button", name="Collapse all", exact=True).click()
    anchors = report.js("() => [...document.querySelectorAll('.finding .anchor')].map(e => e.hash.slice(1))")
    assert len(anchors) == report.page.locator(".finding").count(), "a panel without a permalink"
    last = anchors[-1]
    report.js("(id) => { location.hash = id }", last)
    panel = report.page.locator(f"[id='{last}']")
    panel.locator(".words").wait_for(state="visible")
    assert panel.locator("h4").bounding_box()["y"] < 900
    report.page.get_by_role("button", name="Collapse all", exact=True).click()
    panel.locator(".anchor").click()
    panel.locator(".words").wait_for(state="visible")


@pytest.mark.parametrize("at", ["#quality", "#%E0%A4%A", "#nothing", "#a'b\"c"])
def test_any_address_opens_the_page(open_report: Open, at: str) -> None:
    report = open_report("hostile", at)
    assert report.complaints() == []
    assert report.page.locator("h1").count() == 1


FOCUS = """() => {
  const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
  return [e === document.body ? "" : e.closest(".finding")?.id ?? "-", e.tagName,
          style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1 || e.tagName === "SELECT",
          box.bottom > 0 && box.top < innerHeight];
}"""


def test_keys_alone_lead_through_every_finding_with_visible_focus(open_report: Open) -> None:
    report = open_report("demo")
    report.page.keyboard.press("Tab")
    report.page.keyboard.press("Enter")  # the skip link
    assert report.page.url.endswith("#findings")
    wanted = report.js("() => [...document.querySelectorAll('#findings .finding')].map(e => e.id)")
    visited: list[str] = []
    for _ in range(300):
        report.page.keyboard.press("Tab")
        finding, tag, outlined, in_view = report.js(FOCUS)
        if not finding:
            break
        assert outlined, f"no one sees the focus on a {tag} of {finding}"
        assert in_view, f"focus is out of view on a {tag} of {finding}"
        if finding != "-" and finding not in visited:
            visited.append(finding)
        if finding != "-" and tag == "SUMMARY":
            opened = report.page.locator(f"[id='{finding}'] > details[open]")
            report.page.keyboard.press("Enter")
            assert opened.count() == 1
            report.page.keyboard.press("Enter")
            assert opened.count() == 0
    assert visited == wanted


# --- copying --------------------------------------------------------------------------------------


def copied(report: Opened, panel: str) -> str:
    """What lies in the clipboard after the button was pressed, as any other program would paste it."""
    report.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    report.page.locator(panel).get_by_role("button", name="Copy as text").press("Enter")
    report.page.wait_for_function("() => document.querySelector('p[role=status]').textContent === 'Copied as text'")
    return str(report.js("() => navigator.clipboard.readText()"))


def test_a_finding_is_copied_as_plain_text(open_report: Open) -> None:
    report = open_report("demo")
    panel = "#findings .finding >> nth=0"
    text = copied(report, panel)
    lines = text.splitlines()
    assert lines[0].split(" ")[0] in ("critical", "warning", "info")
    assert any(line.startswith("Where | Severity | ") for line in lines)
    assert any(line.startswith("Why it matters. ") for line in lines)
    assert lines[-1].startswith("esxprobe: ")
    assert lines[-1].endswith(f"#{report.page.locator(panel).get_attribute('id')}")
    assert "<" not in text
    assert "Save PNG" not in text
    for cell in report.page.locator(panel).locator("td.num").all_inner_texts():
        assert re.sub(r"\s+", " ", cell).strip() in text


def test_hostile_names_are_copied_as_text_and_make_no_lines(open_report: Open) -> None:
    report = open_report("hostile")
    text = copied(report, "#findings .finding >> nth=0")
    rows = [line for line in text.splitlines() if " | " in line]
    assert len(rows) == 1 + len(HOSTILE)
    for name in HOSTILE.values():
        plain = re.sub(r"[\x00-\x1f]", "\N{REPLACEMENT CHARACTER}", re.sub(r"\s+", " ", name)).strip()
        assert sum(plain in row for row in rows) >= 1, name
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text), "a terminal would obey it"
    turned = next(row for row in rows if "\u202e" in row)
    assert turned.startswith("\u2068"), "what turns the writing is kept apart"
    assert "\u2069 | " in turned


def test_without_a_clipboard_the_old_way_is_taken(open_report: Open) -> None:
    report = open_report("hostile")
    report.js("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')) }")
    text = copied(report, "#findings .finding >> nth=0")
    assert "Why it matters." in text
    assert report.page.locator("textarea").count() == 0
