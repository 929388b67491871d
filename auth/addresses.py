"""Which addresses outside the portal may be called. Pure: names are not looked up."""

import ipaddress
import socket
import urllib.parse


def may_be_called(url: str, *, to_this_machine: bool = False) -> bool:
    """Say whether an address that an organisation's staff typed may be called: https, and not the machine's own.

    `to_this_machine` allows the machine's own addresses, by http too, which is for demonstrations: in production they
    would let an organisation reach what only the portal may.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or port == 0 or any(letter.isspace() for letter in url):
        return False
    if is_here(host):
        return to_this_machine and parts.scheme in {"http", "https"}
    return parts.scheme == "https"


def is_here(host: str) -> bool:
    """Say whether a host is the machine itself or its own network segment's, in any way an address can be written."""
    name = host.rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(socket.inet_ntoa(socket.inet_aton(name)) if ":" not in name else name)
    except (OSError, ValueError):
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_link_local or address.is_unspecified
