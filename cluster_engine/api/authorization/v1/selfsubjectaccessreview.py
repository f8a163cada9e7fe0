"""SelfSubjectAccessReview: may I do this?

Models pkg/registry/authorization/selfsubjectaccessreview.
"""

from __future__ import annotations

from cluster_engine.apimachinery.scheme import Kind

KIND = Kind(
    group="authorization.k8s.io",
    version="v1",
    kind="SelfSubjectAccessReview",
    resource="selfsubjectaccessreviews",
    singular="selfsubjectaccessreview",
    namespaced=False,
    verbs=("create",),
    answer="self-access",
)
