"""IP addresses of somebody: not the ones that stand for no one, and not versions that look alike."""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from curation.scrub.kinds import Kind, Rules, Span

_DOT = r"(?:\.|\[\.\])"  # "198[.]51[.]100[.]7": so that nobody clicks it
_IPV4 = re.compile(rf"(?<![A-Za-z0-9_.-])(?:\d{{1,3}}{_DOT}){{3}}\d{{1,3}}(?![A-Za-z0-9_])(?!\.\d)")
_IPV6 = re.compile(r"(?<![A-Za-z0-9:.])[0-9A-Fa-f:]{6,39}(?![A-Za-z0-9:])")
_VERSION_BEFORE = re.compile(
    r"(?:\b(?:version|versión|versione|versão|versie|wersj[aię]|верси[яию]|v|ver|release|firmware|build|update|sdk|driver|section|"
    r"kapitel|abschnitt|chapter|windows|chrome|android|ios)|バージョン|版本|版|버전|§|[=<>~!]=)[^\n\d]{0,4}$",
    re.IGNORECASE,
)
# Addresses printed in every manual: what routers are set to, resolvers open to all. Nobody is found by them.
_PRINTED = """
192.168.0.1 192.168.1.1 192.168.2.1 192.168.1.254 192.168.178.1 192.168.8.1 192.168.100.1 192.168.4.1 10.0.0.1 10.0.0.138
172.16.0.1 8.8.8.8 8.8.4.4 1.1.1.1 1.0.0.1 9.9.9.9 149.112.112.112 208.67.222.222 208.67.220.220 76.76.2.0 94.140.14.14
2001:4860:4860::8888 2001:4860:4860::8844 2606:4700:4700::1111 2606:4700:4700::1001 2620:fe::fe
"""
_EVERYBODYS = frozenset(_PRINTED.split())


def find_ips(text: str, rules: Rules) -> Iterator[Span]:
    """IPv4 and IPv6 addresses but loopback, unspecified, multicast, masks and everybody's."""
    for match in _IPV4.finditer(text):
        dotted = match[0].replace("[.]", ".")
        if _is_somebodys4(dotted) and not _VERSION_BEFORE.search(text[max(0, match.start() - 24) : match.start()]):
            yield Span(Kind.IP, match.start(), match.end(), dotted)
    if text.count(":") < 3:
        return
    for match in _IPV6.finditer(text):
        found = match[0] if match[0].endswith("::") else match[0].rstrip(":")
        if found.count(":") < 3 or not any(character.isdigit() for character in found):
            continue
        try:
            address = IPv6Address(found)
        except ValueError:
            continue
        if not (address.is_loopback or address.is_unspecified or address.is_multicast or str(address) in _EVERYBODYS):
            yield Span(Kind.IP, match.start(), match.start() + len(found), str(address))


def _is_somebodys4(dotted: str) -> bool:
    try:
        address = IPv4Address(dotted)
    except ValueError:
        return False
    return not (
        address.is_loopback
        or address.is_multicast
        or dotted.startswith(("0.", "255."))  # this network; masks
        or dotted in _EVERYBODYS
    )
