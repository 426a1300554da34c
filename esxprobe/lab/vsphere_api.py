"""A stand-in of a host's vSphere API on loopback: SOAP over HTTPS as pyvmomi speaks it, for the service `Esxtop`.

It answers a login, QueryServiceList, CounterInfo, FetchStats and FreeStats from what the lab's host computes. The
certificate is its own; its thumbprint is there for who connects.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import re
import ssl
import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from esxprobe.lab.plan import HostPlan
from esxprobe.lab.raw_counters import RawCounters, counter_info

_VIM = "urn:vim25"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_VERSIONS = (
    '<?xml version="1.0"?><namespaces version="1.0"><namespace><name>urn:vim25</name><version>8.0.1.0</version>'
    "<priorVersions><version>6.0</version><version>5.5</version></priorVersions></namespace></namespaces>"
)
_LONGEST = 1 << 20
# Where QueryServiceList finds a host behind a vCenter.
_LOCATION = "vmware.host."


class VsphereApi:
    """The API of a host, or of a vCenter with that host, until `close`.

    Args:
        plan: The host.
        now: The time [s since 1970].
        user: The account that may log in.
        password: Its password.
        vcenter: It is a vCenter, and the host is asked for by its name.

    Attributes:
        port: HTTPS port on 127.0.0.1.
        thumbprint: SHA-256 of its certificate, in hexadecimal digits.
        asked: Every call so far, by name; arguments of commands behind a colon.
        broken: Further FetchStats that get no answer: the connection is closed.
    """

    def __init__(
        self, plan: HostPlan, now: Callable[[], float], *, user: str, password: str, vcenter: bool = False
    ) -> None:
        self.plan, self.now, self.user, self.password, self.vcenter = plan, now, user, password, vcenter
        self.asked: list[str] = []
        self.broken = 0
        self.sessions: set[str] = set()
        self.counters = RawCounters(plan)
        pem, der = _certificate()
        self.thumbprint = hashlib.sha256(der).hexdigest()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("LabApiHandler", (_Handler,), {"api": self}))
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(pem)
            file.flush()
            context.load_cert_chain(file.name)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="lab-api", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Ends the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def command(self, what: str) -> str:
        """What the service answers to a command."""
        if what == "CounterInfo":
            return counter_info()
        if what == "FetchStats":
            begun = self.now() - self.plan.true_start
            return self.counters.fetch_stats(max(math.floor(begun / self.plan.interval_s), 0))
        return ""


class _Fault(Exception):  # noqa: N818 - as vSphere calls it
    """A fault that the API answers with.

    Attributes:
        kind: Its type.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    api: VsphereApi

    def do_GET(self) -> None:
        """The versions that are spoken."""
        found = self.path.endswith("/vimServiceVersions.xml")
        self._send(200 if found else 404, _VERSIONS.encode() if found else b"")

    def do_POST(self) -> None:
        """A call."""
        length = int(self.headers.get("Content-Length") or 0)
        body = ElementTree.fromstring(self.rfile.read(min(length, _LONGEST)))  # noqa: S314 - a test's own client
        call = body.find(f"{{{_SOAP}}}Body")[0]  # type: ignore[index]
        name = call.tag.partition("}")[2]
        try:
            answer = self._answer(name, call)
        except _Fault as fault:
            self._send(500, _envelope(_fault(fault)))
            return
        if answer is None:
            self.close_connection = True
            return
        self._send(200, _envelope(f'<{name}Response xmlns="{_VIM}">{answer}</{name}Response>'))

    def _answer(self, name: str, call: Any) -> str | None:
        api = self.api
        texts = [each.text or "" for each in call.iter(f"{{{_VIM}}}arguments")]
        api.asked.append(name + "".join(f":{text}" for text in texts))
        if name == "RetrieveServiceContent":
            return _content("returnval", vcenter=api.vcenter)
        if name == "Login":
            return self._login(call)
        if not api.sessions.intersection(re.findall(r"session-\d+", self.headers.get("Cookie") or "")):
            raise _Fault("NotAuthenticated", "The session is not authenticated.")
        return self._with_session(name, call, texts)

    def _with_session(self, name: str, call: Any, texts: list[str]) -> str | None:
        api = self.api
        if name == "ExecuteSimpleCommand":
            if texts == ["FetchStats"] and api.broken > 0:
                api.broken -= 1
                api.sessions.clear()
                return None
            return f"<returnval>{escape(api.command(texts[0]))}</returnval>"
        if name == "QueryServiceList":
            where = [each.text for each in call.iter(f"{{{_VIM}}}location")]
            return _service("returnval") if where == [_LOCATION + api.plan.host] else ""
        if name in {"Fetch", "RetrievePropertiesEx", "RetrieveProperties"}:
            return _property(name, call)
        if name == "Logout":
            api.sessions.clear()
            return ""
        raise _Fault("NotSupported", f"{name} is not served")

    def _login(self, call: Any) -> str:
        api = self.api
        user, password = (call.findtext(f"{{{_VIM}}}{field}") for field in ("userName", "password"))
        if (user, password) != (api.user, api.password):
            raise _Fault("InvalidLogin", "Cannot complete login due to an incorrect user name or password.")
        session = f"session-{len(api.asked)}"
        api.sessions.add(session)
        self._cookie = session
        stamp = datetime.fromtimestamp(api.now(), UTC).isoformat()
        fields = "".join(f"<{name}>{text}</{name}>" for name, text in {
            "key": session, "userName": escape(api.user), "fullName": "lab", "loginTime": stamp,
            "lastActiveTime": stamp, "locale": "en", "messageLocale": "en", "extensionSession": "false",
            "ipAddress": "127.0.0.1", "userAgent": "lab", "callCount": "0",
        }.items())  # fmt: skip
        return f"<returnval>{fields}</returnval>"

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if cookie := getattr(self, "_cookie", ""):
            self.send_header("Set-Cookie", f'vmware_soap_session="{cookie}"; Path=/; HttpOnly; Secure;')
            self._cookie = ""
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def _envelope(inside: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{_SOAP}" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<soapenv:Body>{inside}</soapenv:Body></soapenv:Envelope>"
    ).encode()


def _fault(fault: _Fault) -> str:
    detail = f'<{fault.kind}Fault xmlns="{_VIM}" xsi:type="{fault.kind}"/>'
    text = f"<faultcode>ServerFaultCode</faultcode><faultstring>{escape(str(fault))}</faultstring>"
    return f"<soapenv:Fault>{text}<detail>{detail}</detail></soapenv:Fault>"


def _content(tag: str, *, vcenter: bool) -> str:
    """The service's content: what a client needs to log in and to find the services."""
    kind, name = ("VirtualCenter", "VMware vCenter Server 8.0.3") if vcenter else ("HostAgent", "VMware ESXi 8.0.3")
    about = "".join(f"<{field}>{text}</{field}>" for field, text in {
        "name": name.rpartition(" ")[0], "fullName": f"{name} build-24280767", "vendor": "VMware, Inc.",
        "version": "8.0.3", "build": "24280767", "osType": "vmnix-x86", "productLineId": "embeddedEsx",
        "apiType": kind, "apiVersion": "8.0.1.0",
    }.items())  # fmt: skip
    objects = (
        ("rootFolder", "Folder", "ha-folder-root"),
        ("propertyCollector", "PropertyCollector", "ha-property-collector"),
    )
    references = "".join(f'<{field} type="{kind}">{name}</{field}>' for field, kind, name in objects)
    managers = '<sessionManager type="SessionManager">ha-sessionmgr</sessionManager>'
    managers += '<serviceManager type="ServiceManager">ServiceMgr</serviceManager>'
    return f'<{tag} xsi:type="ServiceContent">{references}<about>{about}</about>{managers}</{tag}>'


def _service(tag: str) -> str:
    service = '<service type="SimpleCommand">esxtop-cmd</service>'
    return (
        f'<{tag} xsi:type="ServiceManagerServiceInfo"><serviceName>Esxtop</serviceName>'
        f"<location>vmware.host.</location>{service}<description>esxtop</description></{tag}>"
    )


def _property(name: str, call: Any) -> str:
    """A property of an object: the services of the ServiceManager, in the form that was asked for."""
    wanted = call.findtext(f"{{{_VIM}}}prop") or next((each.text for each in call.iter(f"{{{_VIM}}}pathSet")), "")
    if wanted != "service":
        raise _Fault("InvalidProperty", f"{wanted} is not served")
    items = _service("ServiceManagerServiceInfo")
    if name == "Fetch":
        return f'<returnval xsi:type="ArrayOfServiceManagerServiceInfo">{items}</returnval>'
    value = f'<val xsi:type="ArrayOfServiceManagerServiceInfo">{items}</val>'
    found = f'<obj type="ServiceManager">ServiceMgr</obj><propSet><name>service</name>{value}</propSet>'
    inside = f"<objects>{found}</objects>" if name == "RetrievePropertiesEx" else found
    return f"<returnval>{inside}</returnval>"


def _certificate() -> tuple[bytes, bytes]:
    """A key with a certificate of its own as PEM, and the certificate as DER."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=30))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem + made.public_bytes(serialization.Encoding.PEM), made.public_bytes(serialization.Encoding.DER)
