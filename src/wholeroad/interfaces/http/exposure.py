"""Who can reach the service: beyond this machine only with tokens, and never in plain text."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path

from wholeroad.core.errors import UserError


def is_loopback(host: str) -> bool:
    """Tell whether an address leads to this machine alone; a name other than ``localhost`` may lead anywhere.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0"), is_loopback("example.org")
    (True, True, False, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def refuse_exposed(host: str, *, tokens: bool, tls: bool, behind_proxy: bool) -> None:
    """Refuse to listen where others can reach the service unless they have to say who they are, unheard.

    Parameters
    ----------
    host
        Where it is to listen.
    tokens
        Whether there is at least one.
    tls
        Whether there are a certificate and its key.
    behind_proxy
        Whether a proxy on the way does TLS, by the owner's word.

    Raises
    ------
    UserError
        ``service.exposed``.
    """
    if is_loopback(host) or (tokens and (tls or behind_proxy)):
        return
    missing = [] if tokens else ["no token was made"]
    if not (tls or behind_proxy):
        missing.append("what is sent could be read on the way")
    raise UserError(
        "service.exposed",
        "The service would be open to others",
        happened=f"it was to listen on {host}, and {' and '.join(missing)}",
        expected="tokens, and TLS or a proxy that does it",
        fix="make a token, and give --tls with a certificate and its key, or --behind-proxy where a proxy "
        "does TLS; or listen on 127.0.0.1",
    )


def refuse_useless(certificate: Path, key: Path) -> None:
    """Refuse a certificate and a key that nobody could be served with, before anything else is begun.

    Raises
    ------
    UserError
        ``service.certificate``.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        reason = "they are no certificate and its key" if isinstance(error, ssl.SSLError) else said
        raise UserError(
            "service.certificate",
            "The certificate or its key can't be used",
            happened=f"{certificate} and {key}: {reason}",
            expected="a certificate and the key that belongs to it, both in PEM, the key without a password",
            fix="give the certificate first and its key second, as in --tls certificate.pem key.pem",
        ) from None


def _no_password() -> str:
    """Answer instead of the terminal, where the key of a service would ask nobody."""
    message = "the key has a password"
    raise ValueError(message)
