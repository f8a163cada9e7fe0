"""Each program that tutorials name is where it is in life: in busybox, in a plain debian, in netshoot, on a node."""

from __future__ import annotations

import pytest

from cluster_engine import Cluster

EVERYWHERE = (
    "awk", "sed", "grep", "tar", "gzip", "dd", "df", "du", "kill", "mount", "id", "stat", "od", "expr", "timeout",
    "env", "printenv", "date", "xargs", "find", "tee",
)  # fmt: skip
SHOWING = (
    "ps", "top", "free", "watch", "wget", "nslookup", "ping", "traceroute", "nc", "ip", "netstat", "vi",
)  # fmt: skip
"""Those that busybox has, and debian in packages of their own."""
ASKING = ("curl", "dig", "host", "ss", "openssl", "jq")
"""Those that nobody has who does not install them."""
OF_NODES = ("iptables-save", "crictl", "systemctl", "journalctl")
NAMED = (*EVERYWHERE, *SHOWING, *ASKING, *OF_NODES)
PLACES: dict[str, tuple[str, ...]] = {
    "busybox:1.36": (*EVERYWHERE, *SHOWING),
    "alpine:3.22": (*EVERYWHERE, *SHOWING),
    "debian:13": EVERYWHERE,
    "ubuntu:24.04": EVERYWHERE,
    "nicolaka/netshoot": (*EVERYWHERE, *SHOWING, *ASKING),
    "node": NAMED,
}
LOOK = f"for each in {' '.join(NAMED)}; do command -v $each >/dev/null && echo $each; done; true"


@pytest.fixture(scope="module")
def found() -> dict[str, list[str]]:
    """Place -> the programs that a shell finds there."""
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    images = [place for place in PLACES if place != "node"]
    for number, image in enumerate(images):
        container = {"name": "c", "image": image, "command": ["sleep", "1d"]}
        meta = {"name": f"p{number}", "namespace": "default"}
        cluster.apply(
            {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}
        )
    assert cluster.settle()
    said = {
        image: cluster.execute(f"p{number}", ["sh", "-c", LOOK]).stdout.decode().split()
        for number, image in enumerate(images)
    }
    return {**said, "node": _on_a_node(cluster)}


def _on_a_node(cluster: Cluster) -> list[str]:
    heard = _Heard()
    entry = cluster.prepare_login("worker-1", ["bash", "-c", LOOK], False)
    cluster.server.sessions.listen(f"s{entry.seq}", heard)
    cluster.perform(entry)
    cluster.wait(lambda _: heard.over, 5)
    return heard.said.split()


class _Heard:
    """What a session says."""

    def __init__(self) -> None:
        self.said, self.over = "", False

    def output(self, fd: int, data: bytes) -> None:
        self.said += data.decode()

    def closed(self, stream: int, why: str) -> None: ...

    def ended(self, status: int) -> None:
        self.over = True

    def failed(self, status: object) -> None:
        self.over = True


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("program", NAMED)
def test_a_program_is_where_it_should_be(found: dict[str, list[str]], program: str, place: str) -> None:
    assert (program in found[place]) is (program in PLACES[place])
