"""Checks on addresses that traffic is sent to.

Models pkg/apis/core/validation (ValidateNonSpecialIP).
"""

from __future__ import annotations

from ipaddress import ip_address

from cluster_engine.apimachinery.errors import FieldError, invalid_value


def check_not_special(address: str, path: str) -> list[FieldError]:
    """Loopback, link-local and unspecified addresses make no sense as endpoints."""
    try:
        ip = ip_address(address)
    except ValueError:
        return [invalid_value(path, address, "must be a valid IP address")]
    problems = []
    if ip.is_unspecified:
        problems.append(invalid_value(path, address, f"may not be unspecified ({address})"))
    if ip.is_loopback:
        text = "may not be in the loopback range (127.0.0.0/8, ::1/128)"
        problems.append(invalid_value(path, address, text))
    if ip.is_link_local:
        text = "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
        problems.append(invalid_value(path, address, text))
    if ip.is_multicast and (address.startswith("224.0.0.") or address.lower().startswith("ff02")):
        text = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
        problems.append(invalid_value(path, address, text))
    return problems
