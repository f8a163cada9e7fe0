"""The kubeconfig with which a learner's own tools reach a run."""

from __future__ import annotations

from urllib.parse import quote

import yaml
from django.http import HttpRequest

from runs.models import Run


def kubeconfig_of(request: HttpRequest, run: Run, token: str, at: str = "") -> str:
    """For use outside the browser, with the run's own token or one that only reads; `at`: to look at the past.

    Over https the token is a bearer token. Go clients do not send one over plain http (the one-machine mode),
    so there it is a part of the address.
    """
    base = request.build_absolute_uri(f"/clusters/{run.pk}")
    user: dict[str, str] = {}
    if request.is_secure():
        user["token"] = token
    else:
        base += f"/t/{token}"
    if at:
        base += f"/past/{quote(at, safe=':')}"
    name = f"drydock-{run.lab_slug}"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": base}}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return yaml.safe_dump(document, sort_keys=False)
