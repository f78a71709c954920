"""yt-dlp, kept from connecting to this machine and this network: where a public link may not lead.

Run by its path, in a process of its own, by the Python that yt-dlp is installed for. Each address
is looked at when it is connected to, whatever name, redirect or playlist it came from.
"""

import ipaddress
import runpy
import socket
import sys
import urllib.request
from urllib.parse import urlsplit


def is_inside(address: str) -> bool:
    """Whether an address in numbers is of this machine, its network, or nowhere in the internet."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return True
    if isinstance(parsed, ipaddress.IPv6Address):
        # Three ways in which an IPv6 address holds one of IPv4.
        held = parsed.ipv4_mapped or parsed.sixtofour
        if parsed in ipaddress.IPv6Network("64:ff9b::/96"):
            held = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if held is not None:
            return is_inside(str(held))
    return not parsed.is_global or parsed.is_multicast


def addresses_of(host: str) -> set[str]:
    """What a name leads to, in numbers; empty where nobody here knows it."""
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return set()


def of_proxies() -> set[str]:
    """Addresses of the proxies that the user has set: those may lie inside."""
    hosts = (urlsplit(url).hostname for url in urllib.request.getproxies().values())
    return {address for host in hosts if host for address in addresses_of(host)}


def stay_outside() -> None:
    """From here on, this process connects to no address inside, but to the user's proxies."""
    allowed = of_proxies()

    def look(event: str, args: tuple[object, ...]) -> None:
        if event != "socket.connect" or not isinstance(args[1], tuple):
            return
        address = str(args[1][0])
        if address not in allowed and is_inside(address):
            raise PermissionError(
                f"it leads to {address}, inside this network, and is not followed"
            )

    sys.addaudithook(look)


if __name__ == "__main__":
    stay_outside()
    runpy.run_module("yt_dlp", run_name="__main__", alter_sys=True)
