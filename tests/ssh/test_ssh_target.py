"""What a person writes for a machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esxprobe.errors import UsageError
from esxprobe.ssh.target import Target, parse_target


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("host01", Target("host01")),
        ("root@host01", Target("host01", "root")),
        ("root@host01:2222", Target("host01", "root", 2222)),
        ("ssh://root@host01.example.com:2222", Target("host01.example.com", "root", 2222)),
        ("ssh://host01/", Target("host01")),
        ("ssh://j%40lab@host01", Target("host01", "j@lab")),
        ("jane@lab.local@10.0.0.5", Target("10.0.0.5", "jane@lab.local")),
        ("LAB\\jane@host01", Target("host01", "LAB\\jane")),
        ("[fe80::1%eth0]", Target("fe80::1%eth0")),
        ("root@[::1]:2222", Target("::1", "root", 2222)),
        ("ssh://root@[2001:db8::5]:22", Target("2001:db8::5", "root", 22)),
        ("2001:db8::5", Target("2001:db8::5")),
        ("hôte.example", Target("hôte.example")),
    ],
)
def test_a_target_is_read(text: str, target: Target) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@host01",
        "-oProxyCommand=reboot",
        "root@-oProxyCommand=reboot",
        "-l@host01",
        "ssh://-oProxyCommand=reboot",
        "ssh://%2doProxyCommand@host01",
        "host 01",
        "host01;reboot",
        "$(reboot)",
        "`id`@host01",
        "a b@host01",
        "root\n@host01",
        "trailing\\@host01",
        "host01:",
        "host01:0",
        "host01:65536",
        "host01:ssh",
        "host01:²",
        "[::1",
        "[::1]22",
        "[host01]",
        "ssh://host01/path",
    ],
)
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_target(text)
    assert "user@host" in caught.value.hint


@given(st.text(max_size=30))
def test_whatever_is_accepted_is_safe_in_a_line_for_a_shell_and_begins_with_no_dash(text: str) -> None:
    try:
        target = parse_target(text)
    except UsageError:
        return
    for part in (target.host, target.user or ""):
        assert not part.startswith("-")
        assert not set(part) & set(" \t\n'\"`$;&<>|(){}\0")
