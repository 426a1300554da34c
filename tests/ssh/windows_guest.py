"""Stand-ins for `typeperf` and `powershell` on a guest's PATH: they refuse what they were not asked properly."""

TYPEPERF = '''#!/usr/bin/env python3
"""Knows English names of counters unless LANGUAGE_OF_NAMES says otherwise."""

import os
import sys
import time

KNOWN = {
    "\\\\Memory\\\\Page Faults/sec", "\\\\Memory\\\\Page Reads/sec", "\\\\Memory\\\\Pages Input/sec",
    "\\\\Memory\\\\Transition Faults/sec", "\\\\Memory\\\\Demand Zero Faults/sec", "\\\\Memory\\\\Cache Faults/sec",
    "\\\\System\\\\Context Switches/sec", "\\\\Processor(_Total)\\\\% User Time",
    "\\\\Processor(_Total)\\\\% Privileged Time",
}
words, counters, options = sys.argv[1:], [], {}
while words:
    word = words.pop(0)
    if word.startswith("-"):
        options[word] = int(words.pop(0))
    else:
        counters.append(word)
if os.environ.get("LANGUAGE_OF_NAMES", "en") != "en" or not set(counters) <= KNOWN:
    sys.stdout.buffer.write("\\r\\nFehler: Keine gültigen Indikatoren.\\r\\n".encode("cp850"))
    sys.exit(-1)
out = sys.stdout
out.write("\\r\\n" + ",".join(['"(PDH-CSV 4.0)"', *(f'"\\\\\\\\WIN01{name}"' for name in counters)]) + "\\r\\n")
out.flush()
for n in range(options["-sc"]):
    time.sleep(options["-si"])
    stamp = time.strftime("%m/%d/%Y %H:%M:%S") + ".123"
    cells = [f'"{1000 + n}.000000"'] * len(counters)
    out.write(",".join([f'"{stamp}"', *cells]) + "\\r\\n")
    out.flush()
out.write("\\r\\nThe command completed successfully.\\r\\n")
'''

POWERSHELL = r'''#!/usr/bin/env python3
"""Reads the few forms of PowerShell that it is given, and answers as WMI does; anything else is an error."""

import base64
import datetime
import re
import sys
import time

CLASSES = {
    "Memory": {"PageFaultsPersec", "PageReadsPersec", "PagesInputPersec", "TransitionFaultsPersec",
               "DemandZeroFaultsPersec", "CacheFaultsPersec"},
    "System": {"ContextSwitchesPersec"},
    "Processor": {"PercentUserTime", "PercentPrivilegedTime"},
}


def stamp():
    return time.time_ns() // 100 + 116444736000000000


words = sys.argv[1:]
for switch in ("-NoProfile", "-NonInteractive"):
    words.remove(switch)
if words[0] == "-Command":
    assert words[1] == "[DateTimeOffset]::Now.ToString('o')", words
    print(datetime.datetime.now().astimezone().isoformat())
    sys.exit()
assert words[:5] == ["-InputFormat", "None", "-OutputFormat", "Text", "-EncodedCommand"], words
script = base64.b64decode(words[5], validate=True).decode("utf-16-le")
assert "Win32_PerfRawData_PerfOS_$class$where" in script
lines = script.split("\n")
heads = re.findall(r"^\$out\.WriteLine\('([^']*)'\)$", script, re.M)
asks = re.findall(r"^\$r\+=ask '(\w+)' '([\w, ]+)' \"([^\"]*)\"$", script, re.M)
period_s = int(re.search(r"Start-Sleep -Milliseconds \((\d+)-\$clock", script)[1]) / 1000
count = int(re.search(r"\$n -lt (\d+)", script)[1])
assert "[DateTime]::UtcNow.ToFileTimeUtc()" in script
for head in heads:
    sys.stdout.write(head + "\r\n")
for n in range(count):
    time.sleep(period_s if n else 0)
    row = [stamp()]
    for name, properties, where in asks:
        assert (where == " WHERE Name='_Total'") == (name == "Processor"), where
        if not set(properties.split(", ")) <= CLASSES[name]:
            sys.exit("Get-WmiObject : Invalid query")
        # close to the end of 32 bits, where the real ones wrap round
        row += [stamp(), *((2**32 - 1500 + 1000 * n + len(p)) % 2**32 for p in properties.split(", "))]
    sys.stdout.write(",".join(map(str, row)) + "\r\n")
    sys.stdout.flush()
'''

TOOLS = {"typeperf": TYPEPERF, "powershell": POWERSHELL}
