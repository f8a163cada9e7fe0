"""The controller's command line. Pure. Models pkg/flags of ingress-nginx."""

from __future__ import annotations

from collections.abc import Sequence

DEFAULTS = {
    "configmap": "",
    "controller-class": "k8s.io/ingress-nginx",
    "default-backend-service": "",
    "default-ssl-certificate": "",
    "ingress-class": "nginx",
    "publish-service": "",
    "publish-status-address": "",
    "update-status": "true",
    "validating-webhook": "",
    "validating-webhook-certificate": "",
    "watch-ingress-without-class": "false",
    "watch-namespace": "",
}
"""Those that do something here."""
_OTHERS = (
    "apiserver-host", "deep-inspect", "disable-catch-all", "disable-svc-external-name", "election-id", "election-ttl",
    "enable-annotation-validation", "enable-metrics", "enable-ssl-chain-completion", "enable-ssl-passthrough",
    "health-check-path", "health-check-timeout", "ingress-class-by-name", "kubeconfig", "metrics-per-host",
    "post-shutdown-grace-period", "profiling", "report-node-internal-ip-address", "shutdown-grace-period",
    "sync-period", "tcp-services-configmap", "udp-services-configmap", "update-status-on-shutdown", "v",
    "validating-webhook-key", "watch-namespace-selector",
)  # fmt: skip
_FIXED = {
    "http-port": "80",
    "https-port": "443",
    "healthz-port": "10254",
    "validating-webhook": ":8443",
}
"""Ports: here they are always these."""


class FlagError(Exception):
    """The command line is wrong."""


def read(words: Sequence[str]) -> dict[str, str]:
    """The settings. Raises FlagError for a flag that nobody knows, or for another port."""
    found = dict(DEFAULTS)
    for word in words:
        name, mark, value = word.lstrip("-").partition("=")
        if not word.startswith("-") or (name not in DEFAULTS and name not in _OTHERS and name not in _FIXED):
            raise FlagError(f"unknown flag: {word}")
        if name in _FIXED and value != _FIXED[name]:
            raise FlagError(f"--{name} is always {_FIXED[name]} here, a real controller takes {value}")
        if name in found:
            found[name] = value if mark else "true"
    return found
