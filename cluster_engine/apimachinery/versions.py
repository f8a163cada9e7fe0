"""The order of API versions.

Models k8s.io/apimachinery/pkg/version/helpers.go (CompareKubeAwareVersionStrings).
"""

from __future__ import annotations

import re

_KUBE = re.compile(r"v(\d{1,9})(?:(alpha|beta)(\d{1,9}))?", re.ASCII)
_STAGES = {"": 0, "beta": 1, "alpha": 2}


def version_rank(version: str) -> tuple[int, int, int, int, str]:
    """By which versions are sorted, the preferred one first: v10, v2, v1, v11beta2, v3beta1, v12alpha1, foo1, foo10."""
    found = _KUBE.fullmatch(version)
    if found is None:
        return 1, 0, 0, 0, version
    return 0, _STAGES[found[2] or ""], -int(found[1]), -int(found[3] or 0), ""
