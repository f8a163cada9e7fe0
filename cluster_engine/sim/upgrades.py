"""What makes a keyframe's data of one format data of the next: one function a step, in ``UPGRADES``.

Each changes nothing in place. `tests/sim/golden` holds a keyframe of each format as the last engine of that format
wrote it, and what becomes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

_Data = dict[str, Any]


def _put(data: _Data, path: tuple[str, ...], change: Callable[[Any], Any]) -> _Data:
    """The data with what stands at the path changed, if it stands there."""
    name, *rest = path
    if name not in data:
        return data
    return {**data, name: _put(data[name], tuple(rest), change) if rest else change(data[name])}


def _first_to_second(data: _Data) -> _Data:
    """No component had a log, every informer showed what the store holds, and machines counted no memory."""
    data = {**data, "saved": {**data["saved"], "informers": {}}}
    data = _put(data, ("saved", "clock"), lambda clock: {**clock, "logs": {}})
    path = ("saved", "components", "kubelet", "state", "runtime", "sandboxes", "sandboxes")
    return _put(
        data, path, lambda sandboxes: [[key, _sandbox(saved), *more] for key, saved, *more in sandboxes]
    )


def _sandbox(saved: _Data) -> _Data:
    return _put(saved, ("machine", "machine"), _machine) if saved.get("machine") else saved


def _machine(machine: _Data) -> _Data:
    return {
        **machine,
        "used": {},
        "totals": {name: count for name, count in machine["totals"].items() if name != "cpu"},
        "roots": {name: {**root, "memory": 0} for name, root in machine["roots"].items()},
        "procs": {key: _process(process) for key, process in machine["procs"].items()},
    }


def _process(process: _Data) -> _Data:
    process = {**process, "base": 0, "rss": 0, "limits": {}}
    if process["kind"] != "on":
        return process
    if process["program"] != "sleep":
        return {**process, "kids": []}
    # A sleep was a program that asked for a timer; now it is the timer.
    asked = ("asks", "events", "more")
    return {**{name: value for name, value in process.items() if name not in asked}, "kind": "pause"}


_KUBELET = ("saved", "components", "kubelet", "state")


def _second_to_third(data: _Data) -> _Data:
    """Each container had its own processes, shared them with no other, and had no limit of processor time; no node had
    lost its power or its way to the control plane, and no registry failed. Nobody could connect from outside."""
    data = _put(data, _KUBELET, lambda kubelet: {**kubelet, "failing": []})
    fine: list[Any] = ["on", 0, False, [], []]
    data = _put(data, (*_KUBELET, "nodes"), lambda nodes: [[name, [*state, *fine]] for name, state in nodes])
    clients = (*_KUBELET, "runtime", "clients")
    data = _put(
        data, clients, lambda saved: [saved[0], [[k, {**asked, "whole": False}] for k, asked in saved[1]]]
    )
    data = _put(data, _KUBELET, lambda state: {**state, "forwards": {}})
    data = _put(data, (*_KUBELET, "records"), lambda records: [_record(record) for record in records])
    sandboxes = (*_KUBELET, "runtime", "sandboxes", "sandboxes")
    return _put(
        data, sandboxes, lambda all_: [[key, _with_setups(saved), *more] for key, saved, *more in all_]
    )


def _record(record: list[Any]) -> list[Any]:
    """A Pod's record, in pairs: its containers say whose processes they share."""
    return [
        [
            name,
            [[key, [*fields, "", 0]] for key, fields in value]
            if name in ("containers", "previous")
            else value,
        ]
        for name, value in record
    ]


def _with_setups(saved: _Data) -> _Data:
    if saved.get("machine"):
        saved = _put(saved, ("machine", "machine"), lambda machine: {**machine, "bandwidth": {}})
    return _put(
        {**saved, "forwards": {}},
        ("containers",),
        lambda entries: {name: [[*setup, "", 0], *more] for name, (setup, *more) in entries.items()},
    )


_RBAC = "rbac.authorization.k8s.io"
_MADE = {
    f"clusterrolebindings.{_RBAC}": ["cluster-admin"],
    f"clusterroles.{_RBAC}": [
        "admin",
        "cluster-admin",
        "edit",
        "system:aggregate-to-admin",
        "system:aggregate-to-edit",
        "system:aggregate-to-view",
        "view",
    ],
}


def _third_to_fourth(data: _Data) -> _Data:
    """Of the roles that stand from the beginning, these were made by a boot, and somebody may have deleted some."""
    objects = data["saved"]["store"]["objects"]
    if not any(name in objects.get(resource, {}) for resource, names in _MADE.items() for name in names):
        return data  # of an engine that made none
    gone = {
        resource: missing
        for resource, names in _MADE.items()
        if (missing := [name for name in names if name not in objects.get(resource, {})])
    }
    return _put(data, ("saved", "store"), lambda store: {**store, "gone": gone}) if gone else data


_ADDRESSES = "ipaddresses.networking.k8s.io"


def _fourth_to_fifth(data: _Data) -> _Data:
    """The IPAddresses of Services were worked out when somebody asked, and not stored."""
    return _put(data, ("saved", "store", "objects"), _with_addresses)


def _with_addresses(objects: _Data) -> _Data:
    made = {
        ip: _address(service, ip)
        for service in objects.get("services", {}).values()
        for ip in service["spec"].get("clusterIPs") or ()
        if ip != "None"
    }
    return {**objects, _ADDRESSES: {**made, **objects.get(_ADDRESSES, {})}} if made else objects


def _address(service: _Data, ip: str) -> _Data:
    meta = service["metadata"]
    digest = sha256(f"{meta['uid']}/{ip}".encode()).hexdigest()
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IPAddress",
        "metadata": {
            "name": ip,
            "uid": f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}",
            "resourceVersion": meta["resourceVersion"],
            "creationTimestamp": meta["creationTimestamp"],
            "labels": {
                "ipaddress.kubernetes.io/ip-family": "IPv4",
                "ipaddress.kubernetes.io/managed-by": "ipallocator",
            },
        },
        "spec": {
            "parentRef": {
                "name": meta["name"],
                "namespace": meta["namespace"],
                "resource": "services",
            }
        },
    }


UPGRADES: dict[int, Callable[[_Data], _Data]] = {
    1: _first_to_second,
    2: _second_to_third,
    3: _third_to_fourth,
    4: _fourth_to_fifth,
}
"""Format -> what makes data of the next format from data of this one."""
