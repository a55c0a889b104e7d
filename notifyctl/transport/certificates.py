"""Whose certificates are trusted: SSL_CERT_FILE and SSL_CERT_DIR, else what the system trusts; a project's CA in addition."""

from __future__ import annotations

import ssl
import sys
from pathlib import Path

from notifyctl.errors import SettingsError
from notifyctl.transport.proxies import Route


def build_context(route: Route) -> ssl.SSLContext:
    """For all connections of a client. Raises SettingsError naming the file that cannot be used."""
    context = load_named_trust(route) if route.cert_file or route.cert_dir else load_system_trust()
    # As before Python 3.13, which by itself refuses the CAs of many companies for what they leave out of their certificates.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    # As from Python 3.13 on: a file may hold the CA that signed the server's certificate, and not the one above it.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if route.ca_certificates is not None:
        try:
            context.load_verify_locations(cadata=route.ca_certificates)
        except (ssl.SSLError, ValueError):
            raise SettingsError(
                "the file that `caFile` names holds no certificate in PEM form",
                hint="it begins with -----BEGIN CERTIFICATE-----; ask who runs the CA for it",
            ) from None
    return context


def load_named_trust(route: Route) -> ssl.SSLContext:
    # A folder of certificates is looked into only when one is wanted: OpenSSL does not tell that there is none.
    if route.cert_dir and not route.cert_file and not Path(route.cert_dir).is_dir():
        raise SettingsError(f"SSL_CERT_DIR names {route.cert_dir}, which is not a folder")
    try:
        return ssl.create_default_context(cafile=route.cert_file, capath=route.cert_dir)
    except OSError as error:
        raise SettingsError(
            f"SSL_CERT_FILE names {route.cert_file}, which holds no certificates that can be read"
            f" ({error.strerror or 'not PEM'})",
            hint="correct or unset SSL_CERT_FILE",
        ) from None


def load_system_trust() -> ssl.SSLContext:
    """On Linux the files that OpenSSL knows, else those of `certifi`; elsewhere the system's own store, by `truststore`.

    On Linux `truststore` would read the same files anew for each connection, and hold a lock during each handshake, so
    that one server that hangs keeps every other thread waiting beyond its deadline.
    """
    if sys.platform != "linux":
        import truststore

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    places = ssl.get_default_verify_paths()
    folder = Path(places.capath) if places.capath else None
    if places.cafile or (folder is not None and any(folder.glob("*.0"))):
        return ssl.create_default_context()
    import certifi

    return ssl.create_default_context(cafile=certifi.where())
