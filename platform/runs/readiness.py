"""Why a Pod is not Ready, in words (`runs.host.unready.Finding` as JSON)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

#: What stands in the way → its sentence. A Pod's message, where there is one, follows.
FINDINGS: dict[str, Promise] = {
    "leaving": gettext_lazy("It is being deleted: its containers have %(seconds)s s to end."),
    "ended": gettext_lazy("It has ended (%(phase)s): its containers do not run any more."),
    "gated": gettext_lazy("It is held back by spec.schedulingGates: the scheduler does not look at it yet."),
    "no_node": gettext_lazy("It has no node yet, so that no kubelet starts it."),
    "FailedMount": gettext_lazy("A volume cannot be mounted, and no container starts before all are."),
    "FailedAttachVolume": gettext_lazy(
        "A volume cannot be attached to its node, and no container starts before all are."
    ),
    "FailedCreatePodSandBox": gettext_lazy(
        "Its sandbox (network and namespaces) cannot be made, and no container starts before it is there."
    ),
    "init": gettext_lazy(
        "Its init container %(container)s (%(place)s) has not ended well yet: those after it wait."
    ),
    "init_runs": gettext_lazy(
        "Its init container %(container)s (%(place)s) still runs: those after it wait."
    ),
    "pull": gettext_lazy(
        "The image %(image)s of the container %(container)s cannot be pulled (%(reason)s); it is tried again."
    ),
    "pulling": gettext_lazy("The image %(image)s of the container %(container)s is being pulled."),
    "begins": gettext_lazy("The container %(container)s is being started."),
    "waits": gettext_lazy("The container %(container)s cannot be started (%(reason)s)."),
    "crash": gettext_lazy(
        "The container %(container)s has ended %(times)s times, the last time with status %(status)s "
        "%(reason)s; the kubelet waits before it starts it again."
    ),
    "exited": gettext_lazy("The container %(container)s has ended with status %(status)s %(reason)s."),
    "startup_waits": gettext_lazy(
        "The container %(container)s runs; its startup probe (%(asks)s, every %(period)s s, the first after "
        "%(delay)s s) has not succeeded yet, and until then no other probe asks."
    ),
    "startup_failed": gettext_lazy(
        "The container %(container)s runs, but its startup probe (%(asks)s, every %(period)s s) fails, and until "
        "it succeeds no other probe asks."
    ),
    "readiness_waits": gettext_lazy(
        "The container %(container)s runs; its readiness probe (%(asks)s, every %(period)s s, the first after "
        "%(delay)s s) has not succeeded yet."
    ),
    "readiness_failed": gettext_lazy(
        "The container %(container)s runs, but its readiness probe (%(asks)s, every %(period)s s) fails."
    ),
    "hook": gettext_lazy(
        "The container %(container)s runs, and its postStart hook has not ended: until then it has not started."
    ),
    "gate": gettext_lazy(
        "Its readiness gate %(condition)s is not True: whoever looks after it has not set it."
    ),
    "node": gettext_lazy("Its node %(node)s does not report any more, so that nobody knows how it is."),
}


def sentence(finding: Mapping[str, Any]) -> str:
    """In the current language."""
    values = finding["values"]
    told = " ".join((str(FINDINGS[finding["why"]]) % values).split()).replace(" ;", ";").replace(" .", ".")
    message = values.get("message")
    return f"{told} {message}" if message else told
