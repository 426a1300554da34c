"""What a host said is quoted as one line, and no more of it than a person reads."""

from esxprobe.collect.saying import MOST, last_line, quoted


def test_a_long_answer_is_cut() -> None:
    assert len(last_line(b"x" * 200_000)) == MOST == 300
    assert len(quoted("y " * 100_000)) <= MOST


def test_the_last_line_tells_and_is_one_line() -> None:
    assert last_line(b"warning: this\nerror: that\r\n\n") == "error: that"
    assert last_line("") == last_line(b"\n \n") == ""
    assert "\n" not in quoted("a\nb\x0bc")
