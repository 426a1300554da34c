"""Axe, which looks at a page as somebody does who cannot see it, or not well.

It takes seconds for the contrast of a page with thousands of texts, so it is given one of each look: texts with the
same color, ground, size and place in the page. What differs in any of these is a look of its own.
"""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe, AxeResults
from opened import Opened

# Marks one text of each look, within an element of the page.
_LOOKS = """(within) => {
  document.querySelectorAll('[data-look]').forEach((e) => { e.removeAttribute('data-look'); });
  const style = new Map(), of = (e) => style.get(e) ?? style.set(e, getComputedStyle(e)).get(e);
  const place = new Map(), at = (e) => {
    if (!e || e === document) return '';
    if (!place.has(e)) {
      const {backgroundColor, backgroundImage, opacity, filter} = of(e);
      const kind = `${e.tagName}.${e.className} ${backgroundColor} ${backgroundImage} ${opacity} ${filter}`;
      place.set(e, `${at(e.parentElement)}/${kind}`);
    }
    return place.get(e);
  };
  const seen = new Set();
  for (const e of document.querySelectorAll(`${within} *`)) {
    const said = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || e.matches('input, select');
    if (!said || !e.checkVisibility()) continue;
    const {color, fontSize, fontWeight, textShadow} = of(e);
    const look = `${at(e)} ${color} ${fontSize} ${fontWeight} ${textShadow} ${e.disabled}`;
    if (!seen.has(look)) e.dataset.look = '';
    seen.add(look);
  }
  return seen.size;
}"""
_CONTRAST = "color-contrast"


def look_through(report: Opened, within: str = "body") -> None:
    """Fails where Axe finds anything, in light or in dark.

    Args:
        report: The page. It stays as it is, but for marks.
        within: A selector of the part that is looked at.
    """
    all_but_contrast_finds_nothing(report, within)
    for scheme in ("light", "dark"):
        report.page.emulate_media(color_scheme=scheme)
        contrast_finds_nothing(report, within)


def all_but_contrast_finds_nothing(report: Opened, within: str = "body") -> None:
    """Fails where Axe finds anything else than a pale text."""
    _finds_nothing(report, within, {"rules": {_CONTRAST: {"enabled": False}}})


def contrast_finds_nothing(report: Opened, within: str = "body") -> None:
    """Fails where a text is too pale in the colors that the page has now."""
    assert report.js(_LOOKS, within) > 5
    _finds_nothing(report, "[data-look]", {"runOnly": [_CONTRAST]})


def _finds_nothing(report: Opened, within: str, options: dict[str, Any]) -> None:
    found: AxeResults = Axe().run(report.page, context=within, options={"resultTypes": ["violations"], **options})
    assert found.violations_count == 0, found.generate_report()
