"""hosts.toml: what it may say, and what is told about what it may not."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esxprobe.collect import inventory
from esxprobe.collect.inventory import GuestEntry, HostEntry, parse_inventory
from esxprobe.errors import UsageError

CANARY = "kanarienvogel-7f3a"


def test_the_example_of_the_docs_is_read() -> None:
    example = "\n".join(inventory.__doc__.split("\n\n", 1)[1].rsplit("\n\n", 1)[0].splitlines())
    (host,) = parse_inventory(example.replace("// or", "")).hosts
    assert host == HostEntry(
        name="host01",
        address="10.0.0.11",
        user="root",
        port=22,
        identity=("~/.ssh/id_ecdsa",),
        interval_s=5,
        duration="10m",
        segment="15m",
        vms=("web01", "db 02"),
        guests=(GuestEntry("web01", "ssh://admin@10.0.0.7", "linux", "Europe/Berlin"),),
    )


def test_the_example_of_the_page_is_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "collecting.md").read_text(encoding="utf-8")
    one, other = parse_inventory(page.split("```toml")[1].split("```")[0]).hosts
    assert (one.user, one.vms, len(one.guests)) == ("root", ("web01", "db 02"), 1)
    assert (other.name, other.user, other.interval_s) == ("host02", "root", 5)


def test_a_host_is_as_little_as_a_name() -> None:
    assert parse_inventory('[[hosts]]\nname = "a"\n[[hosts]]\naddress = "10.0.0.2"\n').hosts == (
        HostEntry("a"),
        HostEntry("10.0.0.2", "10.0.0.2"),
    )


def test_defaults_hold_where_a_host_says_nothing() -> None:
    text = """
        defaults = { user = "root", interval = 10, duration = "1h", legacy_crypto = true }
        hosts = [
            { name = "a" },
            { name = "b", user = "jane", interval = 2, samples = 7, legacy_crypto = false },
        ]
    """
    one, other = parse_inventory(text).hosts
    assert (one.user, one.interval_s, one.duration, one.samples, one.legacy_crypto) == (
        "root",
        10,
        "1h",
        None,
        True,
    )
    assert (other.user, other.interval_s, other.duration, other.samples, other.legacy_crypto) == (
        "jane",
        2,
        None,
        7,
        False,
    )


TWO = '[[hosts]]\nname = "a"\n[[hosts.guests]]\nvm = "x"\ntarget = "b"\n\n[[hosts]]\nname = "c"\n'


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param("hosts = [", "not valid TOML: ", "quoted", id="no TOML"),
        pytest.param("", "names no host", "[[hosts]]", id="empty"),
        pytest.param('[hosts]\nname = "a"', "hosts: is not a list of tables", "[[hosts]]", id="one bracket"),
        pytest.param("defaults = 5", "line 1, defaults: is not a table", "[defaults]", id="no table"),
        pytest.param("[[hosts]]\nport = 22", r"line 1, hosts\[0\]: has no name", "name =", id="no name"),
        pytest.param(f"{TWO}prot = 22", r"line 9, hosts\[1\]\.prot: no such key", "'port'", id="near key"),
        pytest.param(f"{TWO}xyzzy = 22", r"hosts\[1\]\.xyzzy: no such key", "known: name", id="no near key"),
        pytest.param("[default]\nuser = 'x'", "default: no such key", "'defaults'", id="near table"),
        pytest.param("[defaults]\nvms = ['x']", r"line 2, defaults\.vms: no such key", "known", id="no default"),
        pytest.param(f'{TWO}port = "22"', r"line 9, hosts\[1\]\.port: '22' is not a whole", "port", id="text"),
        pytest.param(f"{TWO}port = 70000", r"hosts\[1\]\.port: 70000 is not a valid port", "65535", id="port"),
        pytest.param(f"{TWO}port = true", "True is not a whole number", "port", id="bool"),
        pytest.param(f"{TWO}interval = 0", "0 is not a whole number above 0", "interval", id="zero"),
        pytest.param(f"{TWO}legacy_crypto = 1", "1 is not true or false", "legacy", id="flag"),
        pytest.param(f"{TWO}vms = [1]", r"\[1\] is not a list of strings", "vms", id="texts"),
        pytest.param(f"{TWO}vms = []", r"\[\] is not a list of strings", "vms", id="none"),
        pytest.param(f'{TWO}user = ""', "'' is not text", "user", id="empty text"),
        pytest.param(f"{TWO}duration = []", "is not a duration", "10m", id="length"),
        pytest.param(
            f"{TWO}duration = 5\nsamples = 5", "line 10.*mutually exclusive", "only one of them", id="both"
        ),
        pytest.param(
            f'{TWO}[[hosts]]\nname = "a"',
            r"line 10, "
            r"hosts\[2\]\.name.*hosts\[0\]",
            "different",
            id="twice",
        ),
        pytest.param(
            f'{TWO}[[hosts.guests]]\nvm = "x"', r"line 9, hosts\[1\]\.guests\[0\]: has no", "vm =", id="target"
        ),
        pytest.param(
            f'{TWO}[[hosts.guests]]\nvm = "x"\ntarget = "y"\nsystem = "dos"',
            r"line 12, hosts\[1\]\.guests\[0\]\.system: 'dos' is not a known guest system",
            "windows",
            id="system",
        ),
        pytest.param(
            f'{TWO}[[hosts.guests]]\nvm = "x"\ntarget = "y"\ntimezone = "Berlin"',
            "not a valid time zone",
            "UTC",
            id="zone",
        ),
        pytest.param(
            f'{TWO}[[hosts.guests]]\nvm = "x"\ntarget = "y"\ntimezone = "../etc/passwd"',
            "not a valid time zone",
            "Europe",
            id="zone that is a path",
        ),
        pytest.param(
            f'{TWO}[[hosts.guests]]\nvm = "x"\ntarget = "y"\n[[hosts.guests]]\nvm = "x"\ntarget = "z"',
            r"line 13, hosts\[1\]\.guests\[1\]\.vm: the VM 'x' has two guests",
            "one",
            id="two guests",
        ),
    ],
)
def test_what_has_no_meaning_is_told_with_line_and_field(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse_inventory(text)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "key", ["password", "Password", "pass", "key_passphrase", "pass-word", "api_token", "secret"]
)
@pytest.mark.parametrize("table", ["[defaults]", "[[hosts]]\nname='a'", "[[hosts]]\nname='a'\n[[hosts.guests]]"])
def test_a_secret_is_refused_and_not_repeated(key: str, table: str) -> None:
    with pytest.raises(UsageError, match=f"{key}: passwords are not allowed") as caught:
        parse_inventory(f'{table}\n{key} = "{CANARY}"\n')
    assert "--keyring" in caught.value.hint
    assert CANARY not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    "target", [f"ssh://root:{CANARY}@h", f"root:{CANARY}@h:22", f"ssh://root:{CANARY}%40@[::1]"]
)
def test_a_password_in_a_target_is_refused_and_not_repeated(target: str) -> None:
    with pytest.raises(UsageError, match="contains a password") as caught:
        parse_inventory(f'[[hosts]]\nname = "a"\nguests = [{{ vm = "x", target = "{target}" }}]\n')
    assert CANARY not in caught.value.message + caught.value.hint


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(["[defaults]", "[[hosts]]", "[[hosts.guests]]", "[hosts]", "[a.b]"])
        | st.builds(
            "{} = {}".format,
            st.sampled_from(["name", "vm", "target", "port", "user", "identity", "x", "hosts", "guests"]),
            st.sampled_from(['"a"', "1", "1.5", "true", "[]", '["a"]', "{}", "[{}]", "2026-01-01", '""']),
        ),
        max_size=8,
    )
)
def test_whatever_it_says_it_is_an_inventory_or_a_usage_error(lines: list[str]) -> None:
    try:
        assert parse_inventory("\n".join(lines)).hosts
    except UsageError as error:
        assert error.hint  # noqa: PT017
