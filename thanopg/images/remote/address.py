"""Which addresses a picture may be fetched from: public ones, and those that the configuration names."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NAT64 = IPv6Network("64:ff9b::/96")
IPV4_COMPATIBLE = IPv6Network("::/96")
RELAYS = (
    IPv4Network("192.88.99.0/24"),
    IPv6Network("64:ff9b::/32"),
    IPv6Network("2002::/16"),
    IPv6Network("fec0::/10"),
)
"""6to4 relays, NAT64, 6to4, site-local: called global by some versions of Python, and gateways to what is not"""


class AddressPolicy:
    """`networks` may be used although they are not public; `hosts` are patterns such as `*.example.com`."""

    def __init__(self, hosts: Sequence[str], networks: Sequence[Network]) -> None:
        self._hosts = [pattern.lower().rstrip(".") for pattern in hosts]
        self._networks = tuple(networks)

    def allows_host(self, host: str) -> bool:
        return any(fnmatchcase(host.lower().rstrip("."), pattern) for pattern in self._hosts)

    def allows(self, text: str) -> bool:
        """Is this numeric address public, or allowed by name? What an IPv6 form carries inside must be so as well."""
        try:
            address = ip_address(text)
        except ValueError:
            return False
        inside = embedded(address)
        if inside is not None and not self._allows(inside):
            return False
        return self._allows(address)

    def _allows(self, address: Address) -> bool:
        return is_public(address) or any(
            address.version == network.version and _plain(address) in network for network in self._networks
        )


def is_public(address: Address) -> bool:
    """Private, loopback, link-local, multicast, reserved, unspecified, mapped and tunnelled forms are not."""
    special = (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or embedded(address) is not None
    )
    return address.is_global and not special and not any(_plain(address) in net for net in RELAYS)


def embedded(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one leads to: mapped, compatible, 6to4, NAT64."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    plain = _plain(address)
    if plain in NAT64 or (plain in IPV4_COMPATIBLE and int(plain) > 1):  # :: and ::1 carry nothing
        return IPv4Address(int(plain) & 0xFFFFFFFF)
    return None


def _plain(address: Address) -> Address:
    """Without the zone of fe80::1%eth0, which no network contains."""
    return IPv6Address(int(address)) if isinstance(address, IPv6Address) and address.scope_id else address
