"""Names of VMs that would like to be more than text."""

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "end of script": "</script></style></svg><!--",
    "quotes": '"\'` onmouseover="alert(1)" x=\'',
    "right to left": "\u202efdp.exe\u202c \u200fעברית",
    "300 characters": "x" * 300,
    "emoji": "🐘 mémoire 数据",
    "template": "{{7*7}}{% raw %}${7*7}",
    "cdata": "]]><![CDATA[<b>",
    "entities": "&lt;b&gt;&amp;#60;",
    "control": "a\x1b[31mred\x07",
    "image": "<img src=x onerror=alert(1)>",
}


def without_vega(page: str) -> str:
    """A page without Vega's own text, which speaks of elements that a page must not have."""
    head, mark, rest = page.partition('id="vega">')
    return head + mark + rest.partition("</script>")[2] if mark else page
