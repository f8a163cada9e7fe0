"""What kube-proxy answers at a Service's `healthCheckNodePort`. Models pkg/proxy/healthcheck/service_health.go."""

from __future__ import annotations

import json

_BODY = """{
	"service": {
		"namespace": %s,
		"name": %s
	},
	"localEndpoints": %d,
	"serviceProxyHealthy": true
}"""


def answered(namespace: str, name: str, count: int) -> str:
    """The whole HTTP answer: 200 where the node has endpoints of its own, 503 where it has none."""
    body = _BODY % (json.dumps(namespace), json.dumps(name), count)
    lines = [
        "HTTP/1.1 200 OK" if count else "HTTP/1.1 503 Service Unavailable",
        "Content-Type: application/json",
        "X-Content-Type-Options: nosniff",
        f"X-Load-Balancing-Endpoint-Weight: {count}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", body])
