"""The cleaner: old certificate requests go.

Models pkg/controller/certificates/cleaner.
"""

from __future__ import annotations

from cluster_engine.api.certificates.v1.certificatesigningrequest import certificate_of, conditions
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component import Context, Controller
from cluster_engine.component_helpers.certificates import end_of
from cluster_engine.sim import SECOND, parse_rfc3339

from .certificates_signer import CSRS

POLL = 3600
"""Seconds between two looks at all requests."""
_DECIDED, _PENDING = 3600 * SECOND, 24 * 3600 * SECOND


def is_old(csr: JSON, now: int) -> bool:
    """Whether a request has been there longer than one in its state shall be."""
    if not conditions(csr):
        return now - parse_rfc3339(csr["metadata"]["creationTimestamp"]) > _PENDING
    issued = certificate_of(csr)
    for each in conditions(csr):
        if each["type"] in ("Denied", "Failed") or (each["type"] == "Approved" and issued):
            written = each.get("lastUpdateTime")
            if written and now - parse_rfc3339(written) > _DECIDED:
                return True
    end = end_of(issued) if issued and conditions(csr, "Approved") else None
    return end is not None and now > end


class CSRCleanerController(Controller):
    """Looks at all requests every hour while there are some."""

    name = "certificatesigningrequest-cleaner-controller"
    account = "certificate-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.requests = ctx.informers.of(CSRS)
        self.requests.on(add=lambda csr: self._look_later(csr["metadata"]["name"]))

    def _look_later(self, name: str) -> None:
        self.queue.add_after(name, POLL, background=True)

    def reconcile(self, key: str) -> None:
        csr = self.requests.get(key)
        if csr is None:
            return
        if is_old(csr, self.clock.now):
            self.client.delete(CSRS, key)
        else:
            self._look_later(key)
