"""Names as customers give them, for several test modules."""

from customers import Customer
from hypothesis import strategies as st

ORDINARY = (
    "report",
    "host",
    "the",
    "vm",
    "a",
    "VMs",
    "line",
    "critical",
    "Memory",
    "vmx",
    "7",
    "init",
    "UTC",
    "first",
)

HOSTILE = (
    "web (prod): \"a\" & <b>'x'",
    "100%2f50",
    "\u202efdp.exe\u202c",
    "🐘 mémoire",
    "a:scsi0:0",
    "DOM\\user",
    "x" * 90,
    "</script>",
    "{{7*7}}",
    "10.20.30.40",
    "fe80::20c:29ff:fe12:3456",
    "00:0c:29:12:34:56",
)

letters = st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters='"\\'
)  # what breaks a header is another test's matter

any_name = st.one_of(
    st.sampled_from(ORDINARY),
    st.sampled_from([name for name in HOSTILE if '"' not in name and "\\" not in name]),
    st.text(letters, min_size=1, max_size=24).filter(lambda name: name.strip() == name),
    st.from_regex(r"(db|db0|db01|web|app)[0-9]{0,2}", fullmatch=True),
    st.ip_addresses().map(str),
    st.from_regex(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", fullmatch=True),
)

host_name = st.from_regex(r"[a-z]{2,8}[0-9]{1,3}(\.[a-z]{3,9}\.(example|lan))?", fullmatch=True) | st.ip_addresses(
    v=4
).map(str)

customers = st.builds(
    Customer,
    host=host_name,
    vms=st.lists(any_name, min_size=1, max_size=4).map(tuple),
    switch=any_name,
    portgroup=any_name,
    device=st.from_regex(r"(naa|eui)\.[0-9a-f]{16,32}", fullmatch=True),
    pool=any_name,
)
