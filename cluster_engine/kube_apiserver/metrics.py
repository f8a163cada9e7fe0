"""``/metrics``: what went wrong inside, in Prometheus' text form.

Names are upstream's where upstream has them (component-base/metrics/prometheus/workqueue); in a real cluster each
component serves its own page.
"""

from __future__ import annotations

from collections.abc import Mapping

from cluster_engine.sim import Failures

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"


def page(failures: Failures) -> bytes:
    """The page."""
    lines = [
        *_counter(
            "drydock_failures_total",
            "Exceptions that nobody expected, by the component that met them.",
            "component",
            failures.counts(),
        ),
        *_counter(
            "workqueue_retries_total",
            "[BETA] Total number of retries handled by workqueue",
            "name",
            failures.retries,
        ),
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _counter(name: str, about: str, label: str, values: Mapping[str, int]) -> list[str]:
    head = [f"# HELP {name} {about}", f"# TYPE {name} counter"]
    return head + [f'{name}{{{label}="{key}"}} {values[key]}' for key in sorted(values)]
