"""The service `Esxtop` of a host, over vSphere's API: a login, CounterInfo, FetchStats, and FreeStats at the end.

Source of the calls: lamw, "retrieving esxtop performance data" (virtuallyghetto.com, 2013; williamlam.com, 2017 for
vCenter's `vmware.host.` location), and VMware's sample simplecommand-esxtop.py.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from esxprobe.errors import (
    ChangedHostKeyError,
    ConnectError,
    ConnectionLostError,
    EsxprobeError,
    HostError,
    HostTimeoutError,
    LoginError,
    UnknownHostKeyError,
    UsageError,
)
from esxprobe.vsphere.api_target import THUMBPRINTS, ApiTarget

_SERVICE = "Esxtop"
# What an answer may take: a large host needs some seconds for FetchStats [s].
_TIMEOUT_S = 60
_SHOWN = 120  # characters of a stranger's answer that an error quotes
_EXTRA = "install pyvmomi: pip install 'esxprobe[api]'"


def require_pyvmomi() -> None:
    """Looks for the library before the password is asked for.

    Raises:
        UsageError: It is not installed.
    """
    try:
        import pyVmomi  # noqa: F401
    except ImportError as error:
        raise UsageError("--api needs the library pyvmomi, which is not installed", hint=_EXTRA) from error


class EsxtopService:
    """The service of a host, logged in.

    Args:
        target: Where it is.
        password: Gives the account's password when it is needed.
        thumbprint: The certificate's, in hexadecimal digits; without one the certificate must be one that this
            machine trusts.

    Attributes:
        build: Product and build of the host; empty behind a vCenter, which does not tell.

    Raises:
        HostError: It cannot be reached, its certificate cannot be trusted, it refuses the login, or it has no such
            service.
    """

    def __init__(self, target: ApiTarget, password: Callable[[], str], thumbprint: str = "") -> None:
        from pyVim.connect import SmartStubAdapter
        from pyVmomi import vim

        instance: Any = vim.ServiceInstance
        open_stub: Any = SmartStubAdapter

        self._target, self.build = target, ""
        self._stub: Any = None
        try:
            with _translated(target):
                self._stub = open_stub(
                    host=target.server,
                    port=target.port,
                    sslContext=_context(target, thumbprint),
                    httpConnectionTimeout=_TIMEOUT_S,
                )
                self._content: Any = instance("ServiceInstance", self._stub).RetrieveContent()
                self._content.sessionManager.Login(target.user, password(), None)
                try:
                    self._command = self._found()
                except BaseException:
                    self._log_out()
                    raise
        except BaseException:
            self._drop()
            raise

    def _found(self) -> Any:
        """The service's object."""
        target, about = self._target, self._content.about
        manager = self._content.serviceManager
        if target.host:
            location = [f"vmware.host.{target.host}"]
            services = manager.QueryServiceList(serviceName=_SERVICE, location=location) if manager else ()
        elif about.apiType == "VirtualCenter":
            raise HostError(
                f"{target.server} is a vCenter and no host was named",
                hint=f"name one of its hosts, as vCenter calls it: --api {target.account}/esx01.example.com",
            )
        else:
            self.build = about.fullName or ""
            services = manager.service if manager else ()
        for each in services or ():
            if each.serviceName == _SERVICE:
                return each.service
        raise HostError(
            f"{target.name} offers no service {_SERVICE}",
            hint="vSphere 5.1 or later is needed, and through a vCenter the host's name as vCenter shows it",
        )

    def counter_info(self) -> str:
        """Types and fields of the counters, as the service names them."""
        return self._asked("CounterInfo")

    def fetch_stats(self) -> str:
        """All counters as they are now."""
        return self._asked("FetchStats")

    def _asked(self, what: str) -> str:
        with _translated(self._target):
            answer = self._command.ExecuteSimpleCommand(arguments=[what])
        if not isinstance(answer, str):
            raise HostError(f"{self._target.name} answers {what} with nothing")
        return answer

    def close(self) -> None:
        """Lets the host free what it counted, and logs out, unless the connection is lost."""
        with suppress(HostError):
            self._asked("FreeStats")
        self._log_out()

    def _log_out(self) -> None:
        with suppress(HostError), _translated(self._target):
            self._content.sessionManager.Logout()
        self._drop()

    def _drop(self) -> None:
        """Closes the connections."""
        if self._stub is not None:
            with suppress(Exception):  # it closes sockets that may be broken in any way
                self._stub.DropConnections()


def _context(target: ApiTarget, thumbprint: str) -> ssl.SSLContext:
    """TLS as this machine trusts it; with a thumbprint, TLS that trusts the certificate of that thumbprint alone.

    pyvmomi's own check of thumbprints is not used: it looks at the first connection alone, and only where the
    context refuses the certificate.
    """
    if not thumbprint:
        return ssl.create_default_context()
    pem = ssl.get_server_certificate((target.server, target.port), timeout=_TIMEOUT_S)
    der = ssl.PEM_cert_to_DER_cert(pem)
    if hashlib.new(THUMBPRINTS[len(thumbprint)], der).hexdigest() != thumbprint:
        raise ChangedHostKeyError(
            f"the certificate of {target.server} has another thumbprint than the one that was given",
            hint="the connection may be intercepted: compare it with the one that the host's console shows",
        )
    context = ssl.create_default_context(cadata=pem)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _untrusted(target: ApiTarget, error: ssl.SSLCertVerificationError) -> HostError:
    """The error for a certificate that no trusted authority signed, with its thumbprint."""
    shown = ""
    with suppress(OSError, ValueError):
        text = ssl.get_server_certificate((target.server, target.port), timeout=_TIMEOUT_S)
        shown = hashlib.sha256(ssl.PEM_cert_to_DER_cert(text)).hexdigest().upper()
    pairs = ":".join(shown[at : at + 2] for at in range(0, len(shown), 2))
    return UnknownHostKeyError(
        f"the certificate of {target.server} is not trusted: {error.verify_message}"
        + (f"; its SHA-256 thumbprint is {pairs}" if pairs else ""),
        hint="compare the thumbprint with the one that the host's console shows (openssl x509 -noout -fingerprint "
        "-sha256 -in /etc/vmware/ssl/rui.crt) and give it: --thumbprint SHA256; or trust its CA (SSL_CERT_FILE)",
    )


@contextmanager
def _translated(target: ApiTarget) -> Iterator[None]:
    """Errors of pyvmomi, of HTTP and of the network as ours."""
    from pyVmomi import vim, vmodl

    try:
        yield
    except vim.fault.NotAuthenticated as error:
        raise ConnectionLostError(f"the session on {target.server} has ended") from error
    except vim.fault.NoPermission as error:
        raise LoginError(
            f"{target.user} has no permission on {target.server} to use the service {_SERVICE}",
            hint="the role Administrator on the host has it",
        ) from error
    except vim.fault.InvalidLogin as error:
        raise LoginError(
            f"{target.server} refuses the password of {target.user}",
            hint="check the account's name; five failures lock an ESXi account for 15 minutes",
        ) from error
    except (vmodl.RuntimeFault, vmodl.MethodFault) as error:
        name = type(error).__name__.rpartition(".")[2]
        raise HostError(f"{target.name} answers with the fault {name}: {getattr(error, 'msg', '')}") from error
    except TimeoutError as error:
        raise HostTimeoutError(f"{target.server} does not answer within {_TIMEOUT_S} s") from error
    except ConnectionRefusedError as error:
        raise ConnectError(f"{target.server} refuses the connection") from error
    except ssl.SSLCertVerificationError as error:
        raise _untrusted(target, error) from error
    except OSError as error:
        raise ConnectError(f"{target.server} cannot be reached: {error.strerror or error}") from error
    except (EsxprobeError, MemoryError):
        raise
    except (
        Exception
    ) as error:  # what pyvmomi raises on other answers is of many types, `Exception` itself among them
        text = " ".join(str(error).split())[:_SHOWN] or type(error).__name__
        raise ConnectError(f"{target.server} answers, but not with vSphere's API: {text}") from error
