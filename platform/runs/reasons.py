"""Why an object is as it is, why its Pod is where it is and is not Ready, in words (`runs.host.why.Why` as JSON)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from runs import readiness
from runs.happenings import clause
from runs.hosting import Reply

#: The scheduler's plugin that refused a node → what would change that.
REMEDIES: dict[str, Promise] = {
    "SchedulingGates": gettext_lazy(
        "Remove the gates from spec.schedulingGates: until then the scheduler does not look at the Pod."
    ),
    "NodeUnschedulable": gettext_lazy("Uncordon a node (kubectl uncordon), or let the Pod tolerate it."),
    "NodeName": gettext_lazy("The Pod names one node in its spec, and this is not it."),
    "TaintToleration": gettext_lazy(
        "Give the Pod a toleration for the taint, or take the taint from a node."
    ),
    "NodeAffinity": gettext_lazy(
        "Label a node as the Pod's nodeSelector or node affinity asks, or ask for less."
    ),
    "NodePorts": gettext_lazy("Another Pod of the node has that host port: use another one, or none."),
    "NodeResourcesFit": gettext_lazy(
        "Ask for less in resources.requests, or make room: fewer or smaller Pods, or one node more."
    ),
    "VolumeRestrictions": gettext_lazy(
        "Another Pod uses the disk or the claim, and it is for one at a time: let that Pod go first."
    ),
    "NodeVolumeLimits": gettext_lazy(
        "The node has as many volumes as its CSINode says it can: use another node, or fewer claims."
    ),
    "VolumeZone": gettext_lazy(
        "The Pod's volume lies in another zone or region than the node: look at the volume's labels."
    ),
    "VolumeBinding": gettext_lazy(
        "The Pod's claims need volumes that the node can reach: look at its PersistentVolumeClaims."
    ),
    "PodTopologySpread": gettext_lazy(
        "Here the Pods would be more uneven than maxSkew allows: "
        "make room in the emptier places, or loosen the constraint."
    ),
    "InterPodAffinity": gettext_lazy(
        "The Pods that run on the node, or that do not, stand against the affinity or anti-affinity rules."
    ),
}


def with_words(reply: Reply) -> Reply:
    """A host's answer of `why`, told: `chain` of {at, text}, `placement` of the scheduler's last attempt or None, and
    `unready`: what a Pod lacks to be Ready."""
    if reply.status != 200:
        return reply
    told = reply.data
    chain = [{"at": each["at"], "text": clause(each)} for each in told["chain"]]
    name = f"{told['namespace']}/{told['name']}" if told["namespace"] else told["name"]
    attempt = told["attempt"]
    placement = placement_of(attempt, told["nodes"]) if attempt is not None else None
    lacks = [readiness.sentence(each) for each in told["unready"]]
    shown = {"kind": told["kind"], "name": name, "chain": chain, "placement": placement, "unready": lacks}
    return Reply(200, shown)


def typed(told: Mapping[str, Any]) -> str:
    """The same as lines of a terminal, in the current language."""
    lines = [f"{each['at'][11:19]}  {clause(each)}" for each in told["chain"]]
    if told["attempt"] is not None:
        placement = placement_of(told["attempt"], told["nodes"])
        lines += ["", _placed(placement)]
        lines += [f"  {each['name']}: {_found(each)}" for each in placement["nodes"]]
        lines += [f"{each['plugin']}: {each['text']}" for each in placement["remedies"]]
    if told["unready"]:
        lines += ["", _("It is not Ready:"), *(f"  {readiness.sentence(each)}" for each in told["unready"])]
    return "\n".join(lines)


def _placed(placement: Mapping[str, Any]) -> str:
    if placement["node"]:
        return _("The scheduler chose %(node)s (attempt %(number)d):") % placement
    return _("The scheduler found no node (attempt %(number)d): %(message)s") % placement


def _found(node: Mapping[str, Any]) -> str:
    if node["feasible"]:
        return _("possible, %(total)s points") % {"total": node["total"] or 0}
    return f"{node['plugin']}: {node['reason']}"


def placement_of(attempt: Mapping[str, Any], nodes: int) -> dict[str, Any]:
    """An attempt of the scheduler, node by node, and what would change what it found."""
    told = [_node(each) for each in attempt["nodes"]]
    refusing = dict.fromkeys(each["plugin"] for each in told if each["plugin"])
    return {
        "at": attempt["time"],
        "number": attempt["attempt"],
        "result": attempt["result"],
        "node": attempt["node"],
        "message": attempt["message"],
        "looked_at": nodes,
        "nodes": told,
        "plugins": list(dict.fromkeys(plugin for each in told for plugin in each["scores"])),
        "remedies": []
        if attempt["node"]
        else [{"plugin": name, "text": str(REMEDIES[name])} for name in refusing if name in REMEDIES],
    }


def _node(node: Mapping[str, Any]) -> dict[str, Any]:
    refused = [(plugin, said) for plugin, said in node["filters"].items() if said != "Success"]
    plugin, reason = refused[-1] if refused else ("", "")
    return {
        "name": node["name"],
        "feasible": node["feasible"],
        "plugin": plugin,
        "reason": reason,
        "scores": node.get("scores", {}),
        "total": node.get("total"),
    }
