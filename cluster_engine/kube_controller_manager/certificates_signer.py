"""The signing controllers: what is approved gets a certificate from the cluster's authority.

Models pkg/controller/certificates/signer and pkg/apis/certificates/helpers.go; upstream runs one controller for each
signer.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence

from cluster_engine.api.certificates.v1.certificatesigningrequest import (
    certificate_of,
    conditions,
    request_of,
)
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component import Context, Controller
from cluster_engine.component_helpers.certificates import Authority, Request, read_request

CSRS = "certificatesigningrequests.certificates.k8s.io"
LONGEST = 365 * 86_400
"""Seconds for which a certificate is valid at most (--cluster-signing-duration)."""
_SHORTEST = 600

_NODES, _NODE = ("system:nodes",), "system:node:"
_SERVING = ("digital signature", "key encipherment", "server auth")
_CLIENT = ("client auth", "digital signature", "key encipherment")


def _match(usages: Sequence[str], wanted: Sequence[str]) -> str:
    needed = set(wanted) - {"key encipherment"}
    if set(usages) in (needed, set(wanted)):
        return ""
    return f"usages did not match [{' '.join(wanted)}]"


def serving_problem(asked: Request, usages: Sequence[str]) -> str:
    """Why this is no request of a kubelet that serves; "": it is (ValidateKubeletServingCSR)."""
    if asked.organizations != _NODES:
        return "subject organization is not system:nodes"
    if not asked.dns_names and not asked.addresses:
        return "DNS or IP subjectAltName is required"
    if asked.emails:
        return "Email subjectAltNames are not allowed"
    if asked.uris:
        return "URI subjectAltNames are not allowed"
    if wrong := _match(usages, _SERVING):
        return wrong
    return "" if asked.common_name.startswith(_NODE) else f"subject common name does not begin with {_NODE}"


def kubelet_client_problem(asked: Request, usages: Sequence[str]) -> str:
    """Why this is no request of a kubelet as a client; "": it is (ValidateKubeletClientCSR)."""
    if asked.organizations != _NODES:
        return "subject organization is not system:nodes"
    for found, what in (
        (asked.dns_names, "DNS"),
        (asked.emails, "Email"),
        (asked.addresses, "IP"),
        (asked.uris, "URI"),
    ):
        if found:
            return f"{what} subjectAltNames are not allowed"
    if not asked.common_name.startswith(_NODE):
        return f"subject common name does not begin with {_NODE}"
    return _match(usages, _CLIENT)


def client_problem(asked: Request, usages: Sequence[str]) -> str:
    """What no client of the API may ask for; "": nothing of it (validAPIServerClientUsages)."""
    for usage in usages:
        if usage not in _CLIENT:
            return f"invalid usage for client certificate: {usage}"
    return "" if "client auth" in usages else "missing required usage for client certificate: client auth"


SIGNERS: dict[str, Callable[[Request, Sequence[str]], str]] = {
    "kubernetes.io/kubelet-serving": serving_problem,
    "kubernetes.io/kube-apiserver-client-kubelet": kubelet_client_problem,
    "kubernetes.io/kube-apiserver-client": client_problem,
}
"""Those of the cluster itself, and what each refuses to sign. Other signers' requests wait for whoever signs them."""


def lifetime(seconds: int | None) -> int:
    """Seconds for which a certificate is issued, of what the request asks for."""
    return LONGEST if seconds is None else min(max(seconds, _SHORTEST), LONGEST)


class CSRSigningController(Controller):
    """Issues the certificates of the cluster's own signers."""

    name = "certificatesigningrequest-signing-controller"
    account = "certificate-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.requests = ctx.informers.of(CSRS)
        self.requests.on(
            add=lambda csr: self.queue.add(csr["metadata"]["name"]),
            update=lambda change: self.queue.add(change.key),
        )
        self._authority: Authority | None = None

    def reconcile(self, key: str) -> None:
        csr = self.requests.get(key)
        if csr is None or certificate_of(csr):
            return
        decided = [bool(conditions(csr, type_)) for type_ in ("Approved", "Denied", "Failed")]
        spec = csr["spec"]
        refuses = SIGNERS.get(spec.get("signerName") or "")
        if decided != [True, False, False] or refuses is None:
            return
        problem = refuses(read_request(request_of(csr)), spec.get("usages") or ())
        if problem:
            failed = {
                "type": "Failed",
                "status": "True",
                "reason": "SignerValidationFailure",
                "message": problem,
                "lastUpdateTime": self.clock.timestamp(),
            }
            self._write(csr, {"conditions": [*conditions(csr), failed]})
            return
        self._write(csr, {"certificate": base64.b64encode(self._issued(csr)).decode()})

    def _issued(self, csr: JSON) -> bytes:
        if self._authority is None:
            self._authority = Authority(self.ctx.options.seed)
        spec = csr["spec"]
        serial = int(self.ctx.chance.of("certificate", csr["metadata"]["uid"]).hex(32), 16)
        seconds = lifetime(spec.get("expirationSeconds"))
        return self._authority.issue(request_of(csr), spec["usages"], self.clock.now, seconds, serial)

    def _write(self, csr: JSON, status: JSON) -> None:
        self.client.update_status(CSRS, {**csr, "status": {**(csr.get("status") or {}), **status}})
