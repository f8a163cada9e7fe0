"""The functions of the language, one entry each: what cel-go has and Kubernetes adds.

Models k8s.io/apiserver/pkg/cel/environment/base.go (compatibility version 1.37): the strings extension at version
2, lists at version 3, sets, two-variable comprehensions, optional types, and Kubernetes' own libraries.
``cel.bind`` is in none of them.
"""

from __future__ import annotations

from cluster_engine.cel.library import optional, standard
from cluster_engine.cel.library.function import Function

FUNCTIONS: dict[str, Function] = {
    function.name: function for table in (standard.FUNCTIONS, optional.FUNCTIONS) for function in table
}
"""Every function by its name."""
