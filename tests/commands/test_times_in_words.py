"""Times as people write and read them."""

import pytest

from esxprobe.commands.hosts import Words, host_tasks
from esxprobe.commands.options import seconds
from esxprobe.commands.terminal import clock
from esxprobe.errors import UsageError


@pytest.mark.parametrize(
    ("text", "length_s"), [("600", 600), ("90s", 90), ("10m", 600), (" 1.5 h ", 5400), ("0", 0)]
)
def test_lengths_of_time_are_read(text: str, length_s: float) -> None:
    assert seconds(text) == length_s


@pytest.mark.parametrize("text", ["", "soon", "-5", "10 minutes", "1h30m", "5d", "inf"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a valid duration"):
        seconds(text)


@pytest.mark.parametrize(
    ("length_s", "text"), [(0, "0:00"), (4.6, "0:05"), (59.7, "1:00"), (600, "10:00"), (3723, "1:02:03")]
)
def test_a_clock_shows_the_time_left(length_s: float, text: str) -> None:
    assert clock(length_s) == text


@pytest.mark.parametrize(("asked", "linux", "windows"), [(None, 5, 1), (2, 2, 2)])
def test_a_guest_is_sampled_as_often_as_asked(asked: int | None, linux: int, windows: int) -> None:
    words = Words(
        hosts=["host01"],
        inventory=None,
        duration=None,
        samples=None,
        interval=5,
        segment=None,
        vms=None,
        linux_guests=["a=b"],
        windows_guests=["c=d"],
        identity=None,
        password_stdin=False,
        keyring=False,
        legacy_crypto=False,
        guest_interval=asked,
    )
    (task,) = host_tasks(words)
    assert [guest.interval_s for guest in task.guests] == [linux, windows]
