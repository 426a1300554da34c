"""Free text: identities whoever named them, known names as whole words, our own sentences untouched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esxprobe.redact import Names, Redactor

IDENTITIES = (
    "10.20.30.40",
    "fe80::20c:29ff:fe12:3456",
    "2001:db8::1",
    "::ffff:10.1.2.3",
    "00:0c:29:12:34:56",
    "00-0C-29-12-34-56",
    "000c.2912.3456",
    "000c-2912-3456",
    "000c29abcdef",
    "naa.600a098038303053453f463031733441",
    "t10.ATA_____SSD____TW1770103538____",
    "eui.0025385b71b0a123",
    "iqn.1998-01.com.vmware:esx01-4f2a",
    "564d9f2e-1a2b-3c4d-5e6f-708192a3b4c5",
    "5c9f1a2b-1234abcd-5678-001122334455",
    "/vmfs/volumes/datastore1/db01/db01.vmx",
    "[datastore1] db01/db01.vmx",
    r"C:\Users\jane\capture.csv",
    "SHA256:uNiVztksCsDhcc0u9e8BrwQ3ZkuV5Fu8HQYVQqS6cJA",
)
OURS = (
    "The first row covers an unknown interval and is excluded from all rates: line 2",
    "3 of 17,427 columns have no name in the header",
    "line 12, cell 1,034 (at the line break)",
    "2026-03-26 21:30:05 to 21:45:00 UTC (15 min), interval 5 s, 10:00:00",
    "10 packets/s, 5 faults/sec, 100 % of a PCPU",
    "VMware ESXi 8.0.2 build-22380479",
    "HV Settings: virtual exec = 'hardware'; virtual mmu = 'hardware'",
)


@pytest.mark.parametrize("identity", IDENTITIES)
@pytest.mark.parametrize("sentence", ["{}", "seen at {} twice", "({})", "from={}, then"])
def test_identities_go_wherever_they_stand(identity: str, sentence: str, redactor: Redactor) -> None:
    made = redactor.line(sentence.format(identity))
    assert identity not in made
    assert made == redactor.line(sentence.format(identity)), "the same thing, the same name"
    before, _, behind = sentence.partition("{}")
    assert made.startswith(before)
    assert made.endswith(behind)


@pytest.mark.parametrize("sentence", OURS)
def test_our_own_sentences_stay(sentence: str, redactor: Redactor) -> None:
    for name in ("the", "line", "a", "row", "VMware", "rate", "hardware"):
        redactor.names.of("vm", name)
    assert redactor.sentence(sentence) == sentence
    if "'" not in sentence:
        assert redactor.free(sentence).endswith(sentence[7:])


@pytest.mark.parametrize("sentence", OURS)
def test_a_sentence_without_names_stays(sentence: str, redactor: Redactor) -> None:
    assert redactor.free(sentence) == sentence


def test_longer_names_go_before_shorter_ones(redactor: Redactor) -> None:
    given = {name: redactor.names.of("vm", name) for name in ("db", "db01", "db01-old")}
    assert redactor.line("db01-old db01 db the") == f"{given['db01-old']} {given['db01']} {given['db']} the"
    assert redactor.line("DB01") == given["db01"]


def test_a_user_at_a_host(redactor: Redactor) -> None:
    redactor.names.host("esx01")
    made = redactor.line("ssh jane@esx01 refused")
    assert "jane" not in made
    assert "esx01" not in made


def test_quoted_pieces_go_unless_they_are_nobody_s(redactor: Redactor) -> None:
    name = "O'Brien's"
    given = redactor.names.of("vm", name)
    assert redactor.free(f"called {name!r}") == f'called "{given}"'
    made = redactor.free("12 bytes, 'root@secret-host:~#'")
    assert made.startswith("12 bytes, '")
    assert "root" not in made
    assert "secret" not in made
    assert redactor.free("the first says '03/26/2026 21:30:00'") == "the first says '03/26/2026 21:30:00'"


@given(name=st.text(min_size=5, max_size=30).filter(lambda t: any(map(str.isalpha, t)) and t == t.strip()))
def test_a_known_name_never_survives(name: str) -> None:
    redactor = Redactor(Names(b"k" * 32))
    redactor.names.of("vm", name)
    if not redactor.is_ordinary(name):
        assert name not in redactor.line(f"before {name} behind")
        assert repr(name)[1:-1] not in redactor.free(f"called {name!r}")
