"""Names that reach a remote shell stay text."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ssh_servers import tool

from esxprobe.collect.shell import quote
from esxprobe.ssh.paramiko_shell import SshShell

# Where the test's account may write and nobody else has a file.
TOUCHED = Path(f"/tmp/esxprobe-touched-{os.getpid()}")  # noqa: S108
NASTY = [
    "",
    "web 01",
    "it's",
    'a "b" c',
    f"$(touch {TOUCHED})",
    f"`touch {TOUCHED}`",
    "$HOME ${HOME} $((1+1))",
    "a\nb\n",
    "-n",
    "\\",
    "'\\''",
    "~root/*?[a]",
    "!history",
    "a;b|c&d>e<f#g",
    "%2f / Größe 你好",
    "\t\r\x01\x7f",
    "'" * 40,
    "not utf-8 \udcff\udc80",
]


def test_a_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        quote("a\0b")


def in_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def test_names_stay_text_on_the_host(host: SshShell) -> None:
    result = host.run("printf '%s\\0' " + " ".join(map(quote, NASTY)), timeout_s=60)
    assert result.stdout.split(b"\0")[:-1] == [in_bytes(text) for text in NASTY]
    assert not TOUCHED.exists()


words = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"])
    | st.sampled_from("'\"\\$`(){}!*?~ \n-;&|<>#"),
    max_size=20,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(words, min_size=20, max_size=60))
def test_any_text_stays_what_it_is_on_the_host(host: SshShell, texts: list[str]) -> None:
    # many texts in one command: a round trip costs more than a text
    result = host.run("printf '%s\\0' " + " ".join(map(quote, texts)), timeout_s=60)
    assert result.stdout.split(b"\0")[:-1] == [in_bytes(text) for text in texts]


@settings(max_examples=60, deadline=None)
@given(words)
def test_a_quoted_name_can_be_quoted_again(text: str) -> None:
    inner = f"printf %s {quote(text)}"
    command = [tool("busybox"), "ash", "-c", f"{tool('busybox')} ash -c {quote(inner)}"]
    done = subprocess.run(list(map(os.fsencode, command)), capture_output=True, check=True)
    assert done.stdout == in_bytes(text)
