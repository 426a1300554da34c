"""Passwords from the system's keyring (Keychain, Secret Service, Credential Locker), only read here.

They are under the service `esxprobe` and the account `user@host`, as a question for the password would name it:

    keyring set esxprobe root@host01
"""

from __future__ import annotations

from types import ModuleType

from esxprobe.errors import UsageError
from esxprobe.ssh.secrets import Secret

SERVICE = "esxprobe"


def require_keyring() -> None:
    """Looks whether the library is there, before any login.

    Raises:
        UsageError: It is not.
    """
    _library()


def from_keyring(account: str) -> Secret | None:
    """The password of an account, None where the keyring has none.

    Args:
        account: `user@host`.

    Raises:
        UsageError: The library is not installed, or the keyring cannot be asked.
    """
    keyring = _library()
    try:
        password = keyring.get_password(SERVICE, account)
    except Exception as error:  # backends are plugins and raise what they like; the kind says enough, and no secret
        raise UsageError(
            f"the system's keyring cannot be asked for {account}: {type(error).__name__}",
            hint="check that a keyring exists for this user and is unlocked, or omit --keyring",
        ) from None
    return None if password is None else Secret(password)


def _library() -> ModuleType:
    try:
        import keyring
    except ImportError as error:
        raise UsageError(
            "--keyring needs the package keyring, which is not installed", hint="pip install 'esxprobe[keyring]'"
        ) from error
    return keyring
