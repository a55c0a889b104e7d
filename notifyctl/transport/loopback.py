"""What this machine alone can reach: 127.0.0.0/8, ::1 and localhost, each in its plain spelling."""

from __future__ import annotations


def is_loopback(host: str) -> bool:
    """Whether a host name is of this machine. Spellings that only some resolvers understand (127.1, 0x7f000001) are not."""
    from ipaddress import IPv6Address, ip_address

    try:
        address = ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    if isinstance(address, IPv6Address):
        return address == IPv6Address("::1")  # neither with a zone nor as an IPv4 address in IPv6
    return address.is_loopback
