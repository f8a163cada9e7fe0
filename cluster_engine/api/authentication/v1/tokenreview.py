"""TokenReview: whose token is this?

Models pkg/registry/authentication/tokenreview.
"""

from __future__ import annotations

from cluster_engine.apimachinery.scheme import Kind

KIND = Kind(
    group="authentication.k8s.io",
    version="v1",
    kind="TokenReview",
    resource="tokenreviews",
    singular="tokenreview",
    namespaced=False,
    verbs=("create",),
    answer="token",
)
