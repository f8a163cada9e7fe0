"""Kinds of Kubernetes 1.37 that a cluster may not serve: kubectl's bare refusals get a sentence that names reality.

A kind that the cluster serves by now is never refused, so the table does no harm where it is ahead.
"""

from __future__ import annotations

import re

KINDS: tuple[tuple[str, ...], ...] = (
    ("apiservices",),
    ("certificatesigningrequests", "csr"),
    ("clusterrolebindings",),
    ("clusterroles",),
    ("clustertrustbundles",),
    ("componentstatuses", "cs"),
    ("controllerrevisions",),
    ("cronjobs", "cj"),
    ("csidrivers",),
    ("csinodes",),
    ("csistoragecapacities",),
    ("customresourcedefinitions", "crd", "crds"),
    ("daemonsets", "ds"),
    ("deviceclasses",),
    ("endpointslices",),
    ("flowschemas",),
    ("horizontalpodautoscalers", "hpa"),
    ("ingressclasses",),
    ("ingresses", "ing"),
    ("ipaddresses", "ip"),
    ("jobs",),
    ("limitranges", "limits"),
    ("mutatingadmissionpolicies",),
    ("mutatingwebhookconfigurations",),
    ("networkpolicies", "netpol"),
    ("persistentvolumeclaims", "pvc"),
    ("persistentvolumes", "pv"),
    ("poddisruptionbudgets", "pdb"),
    ("podtemplates",),
    ("priorityclasses", "pc"),
    ("prioritylevelconfigurations",),
    ("replicationcontrollers", "rc"),
    ("resourceclaims",),
    ("resourceclaimtemplates",),
    ("resourcequotas", "quota"),
    ("resourceslices",),
    ("rolebindings",),
    ("roles",),
    ("runtimeclasses",),
    ("servicecidrs",),
    ("statefulsets", "sts"),
    ("storageclasses", "sc"),
    ("validatingadmissionpolicies",),
    ("validatingadmissionpolicybindings",),
    ("validatingwebhookconfigurations",),
    ("volumeattachments",),
    ("volumeattributesclasses", "vac"),
)
"""The resource, and its short names."""


def _singular(plural: str) -> str:
    if plural.endswith("ies"):
        return plural[:-3] + "y"
    return plural[:-2] if plural.endswith(("sses", "shes")) else plural[:-1]


_NAMES = {name: names[0] for names in KINDS for name in (*names, _singular(names[0]))}
_REFUSALS = (
    re.compile(r'the server doesn\'t have a resource type "([A-Za-z]+)[."]'),
    re.compile(r"could not find the requested resource \((?:get|post|put|patch|delete) ([a-z]+)"),
    re.compile(r'no matches for kind "([A-Za-z]+)" in version'),
)


def sentence(said: str) -> str | None:
    """What kubectl's refusal means, when a real cluster would have served it."""
    if "Metrics API not available" in said:
        return "Drydock does not simulate the metrics server (a real cluster can have one)."
    for refusal in _REFUSALS:
        found = refusal.search(said)
        plural = _NAMES.get(found.group(1).lower()) if found is not None else None
        if plural is not None:
            return f"Drydock does not simulate {plural} (a real cluster does)."
    return None
