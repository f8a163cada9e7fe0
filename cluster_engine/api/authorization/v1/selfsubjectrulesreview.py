"""SelfSubjectRulesReview: what may I do in a namespace?

Models pkg/registry/authorization/selfsubjectrulesreview.
"""

from __future__ import annotations

from cluster_engine.apimachinery.scheme import Kind

KIND = Kind(
    group="authorization.k8s.io",
    version="v1",
    kind="SelfSubjectRulesReview",
    resource="selfsubjectrulesreviews",
    singular="selfsubjectrulesreview",
    namespaced=False,
    verbs=("create",),
    answer="rules",
)
