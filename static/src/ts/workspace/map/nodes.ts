// The map by node: what each node has and how full it is, which Pods run there; first those that wait for one, last those
// whose node is gone.
import { h, icon } from "../../lib/dom";
import { t } from "../../lib/i18n";
import { emit } from "../page";
import { groupBy, type Boxes } from "./boxes";
import { breakNode } from "./breaking";
import { conditionList, facts, head, whatIfButton, whyButton } from "./detail";
import { byName, isControlPlane, isNodeReady, podCount, taintsOf, zoneOf, type Node, type Pod } from "./objects";
import type { Choice } from "./podview";
import { barsOf } from "./requests";

/** A taint without the domain of its key: who set it is seldom the question. */
function shortened(taint: string): string {
  return taint.slice(taint.lastIndexOf("/") + 1);
}

/** `all`: every Pod that there is, whatever is shown of them: they fill the nodes. */
export function drawNodes(boxes: Boxes, nodes: Node[], pods: Pod[], folded: Pod[], all: Pod[], choice: Choice): void {
  const nodeOf = (pod: Pod): string => pod.spec.nodeName ?? "";
  const [byNode, foldedOf, allOf] = [pods, folded, all].map((some) => groupBy(some, nodeOf)) as [Map<string, Pod[]>, Map<string, Pod[]>, Map<string, Pod[]>];
  const unplaced = byNode.get("") ?? [];
  const waiting = foldedOf.get("") ?? [];
  if (unplaced.length + waiting.length) {
    const notes = [String(unplaced.length + waiting.length)];
    boxes.show({ key: "unscheduled", look: "box-waiting", title: t("map.unscheduled"), notes, pods: unplaced, folded: waiting }, choice);
  }
  for (const node of [...nodes].sort(byName)) {
    const { name, uid } = node.metadata;
    const here = byNode.get(name) ?? [];
    const ready = isNodeReady(node);
    const zone = zoneOf(node);
    boxes.show(
      {
        key: uid,
        uid,
        look: `box-node${ready ? "" : " is-bad"}${node.spec?.unschedulable ? " is-cordoned" : ""}`,
        title: name,
        notes: [isControlPlane(node) && t("map.control_plane"), !ready && t("map.not_ready"), node.spec?.unschedulable && t("map.cordoned")],
        tags: [...(zone ? [t("map.zone_n", { zone })] : []), ...taintsOf(node).map(shortened)],
        bars: barsOf(node, allOf.get(name) ?? []),
        pods: here,
        folded: foldedOf.get(name) ?? [],
      },
      choice,
    );
  }
  const there = new Set(["", ...nodes.map(({ metadata }) => metadata.name)]);
  const gone = [...new Set([...byNode.keys(), ...foldedOf.keys()])].filter((name) => !there.has(name)).sort();
  for (const name of gone) {
    const lost = byNode.get(name) ?? [];
    const notes = [t("map.gone"), podCount(lost.length)];
    boxes.show({ key: `gone ${name}`, look: "box-node is-bad is-gone", title: name, notes, pods: lost, folded: foldedOf.get(name) ?? [] }, choice);
  }
}

export function nodeDetail(node: Node, pods: Pod[], close: () => void): HTMLElement {
  const { name, labels = {} } = node.metadata;
  return h(
    "div",
    {},
    head(name, close),
    h("p", {}, h("span", { class: `badge look-${isNodeReady(node) ? "running" : "failed"}` }, isNodeReady(node) ? "Ready" : "NotReady")),
    h(
      "div",
      { class: "detail-acts" },
      h("button", { type: "button", class: "button button-small", onclick: () => emit("dd-run", { command: `kubectl describe node ${name}` }) }, icon("play"), "kubectl describe"),
      whyButton({ resource: "nodes", namespace: "", name }),
      whatIfButton({ resource: "nodes", namespace: "", name, node: name }),
    ),
    breakNode(node),
    facts([
      [t("map.zone"), zoneOf(node)],
      [t("map.taints"), taintsOf(node).join(", ")],
      ...barsOf(node, pods).map(({ label, text }): [string, string] => [label, text]),
      ["IP", node.status?.addresses?.find(({ type }) => type === "InternalIP")?.address],
      ["kubelet", node.status?.nodeInfo?.kubeletVersion],
      [t("map.labels"), Object.entries(labels).map(([k, v]) => (v ? `${k}=${v}` : k)).join(", ")],
    ]),
    conditionList(node.status?.conditions ?? [], ({ type, status }) => (type === "Ready") === (status === "True")),
  );
}
