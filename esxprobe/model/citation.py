"""Where a threshold comes from, as a record that can be printed, linked and counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from esxprobe.model.roles import ToolSentence, ToolText

CitationKind = Literal[
    "vendor document", "vendor staff", "community", "tool default", "rule of thumb", "own threshold"
]
# Strongest first: in this order sources of one threshold are listed.
CITATION_KINDS: tuple[CitationKind, ...] = get_args(CitationKind)


@dataclass(frozen=True, slots=True)
class Citation:
    """A source of a threshold, or that it has none.

    Attributes:
        kind: Who says it. `vendor document` is a manual or knowledge base article of VMware or Broadcom;
            `vendor staff` a book, blog or talk of their employees; `tool default` what a monitoring product alerts
            at as delivered; `rule of thumb` that the number is not published; `own threshold` a user's file of
            rules.
        title: Of the document; for a rule of thumb its reason, for an own threshold the whole text.
        author: Person or organization.
        year: Year or release, where it is known.
        address: Where it can be read, without `https://`.
        says: What it says about the threshold, with units.
    """

    kind: CitationKind
    title: ToolSentence
    author: ToolText = ""
    year: ToolText = ""
    address: ToolText = ""
    says: ToolText = ""

    def saying(self, says: str) -> Citation:
        """The same source with what it says about one threshold."""
        return replace(self, says=says)

    @property
    def published(self) -> bool:
        """Whether the threshold can be looked up somewhere outside esxprobe and the user's own file."""
        return self.kind not in ("rule of thumb", "own threshold")

    @property
    def name(self) -> str:
        """Author, title and year: `Broadcom, KB 311232, LUN queue depth throttling (7.x, 8.x)`."""
        head = f"{self.author}, {self.title}" if self.author else self.title
        return f"{head} ({self.year})" if self.year else head

    @property
    def text(self) -> str:
        """All of it in one line."""
        if self.kind == "own threshold":
            return self.title
        if self.kind == "rule of thumb":
            return f"rule of thumb: {self.title}"
        quoted = f"{self.name}: {self.says}" if self.says else self.name
        return f"{quoted} [{self.kind}]: {self.address}"

    @property
    def link(self) -> str:
        """Address of the document for a browser; empty where there is none."""
        return f"https://{self.address}" if self.address else ""
