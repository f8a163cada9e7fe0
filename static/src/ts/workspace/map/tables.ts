// The same facts as the map's, as tables: for who reads better than looks, and for a screen reader.
import { h } from "../../lib/dom";
import { t } from "../../lib/i18n";
import { byName, isControlPlane, isNodeReady, lookOf, readyCount, restarts, statusOf, taintsOf, zoneOf, type Node, type Pod } from "./objects";
import { barsOf } from "./requests";
import { callsOf, type Thing } from "./things";
import type { Traffic } from "./traffic";
import { progressOf, workloadsOf, type Workloads } from "./workloads";

const ROWS = 1000;

type Cell = HTMLElement | string;

function table(caption: string, heads: string[], rows: Cell[][]): HTMLElement | null {
  if (!rows.length) return null;
  return h(
    "table",
    { class: "map-table" },
    h("caption", {}, caption),
    h("thead", {}, h("tr", {}, ...heads.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, ...rows.map(([first = "", ...rest]) => h("tr", {}, h("th", { scope: "row" }, first), ...rest.map((cell) => h("td", {}, cell))))),
  );
}

function nodeRow(node: Node, pods: Pod[]): Cell[] {
  const said = [isNodeReady(node) ? "Ready" : "NotReady", isControlPlane(node) && t("map.control_plane"), node.spec?.unschedulable && t("map.cordoned")];
  const here = pods.filter(({ spec }) => spec.nodeName === node.metadata.name);
  return [node.metadata.name, said.filter(Boolean).join(" · "), zoneOf(node), taintsOf(node).join(", "), ...barsOf(node, here).map(({ short }) => short)];
}

function podRow(pod: Pod, traffic: Traffic): Cell[] {
  const status = statusOf(pod);
  const badge = h("span", { class: `badge look-${lookOf(pod, status)}` }, status);
  return [pod.metadata.name, pod.metadata.namespace ?? "", readyCount(pod), badge, String(restarts(pod)), pod.spec.nodeName ?? "", traffic.ofPod(pod).text];
}

/** `all`: every Pod that there is; `shown`: those of them that are to be told, with the workloads. */
export function tables(nodes: Node[], all: Pod[], shown: Workloads, things: Thing[], traffic: Traffic): HTMLElement[] {
  const space = t("map.namespace");
  const found = [
    table(
      t("map.nodes"),
      [t("map.node"), t("map.status"), t("map.zone"), t("map.taints"), "CPU", t("map.memory_gib"), "Pods"],
      [...nodes].sort(byName).map((node) => nodeRow(node, all)),
    ),
    table(
      t("map.workloads"),
      [t("map.name"), space, t("map.kind"), t("map.ready")],
      workloadsOf(shown).map(([kind, one]) => [one.metadata.name, one.metadata.namespace ?? "", kind, progressOf(kind, one)]),
    ),
    table(
      "Pods",
      [t("map.pod_head"), space, t("map.ready"), t("map.status"), t("map.restarts"), t("map.node"), t("map.traffic")],
      shown.pods.slice(0, ROWS).map((pod) => podRow(pod, traffic)),
    ),
    table(
      t("map.things"),
      [t("map.name"), space, t("map.kind"), "Pods", t("map.traffic")],
      things.map((thing) => {
        const { kind, object, pods } = thing;
        return [object.metadata.name, object.metadata.namespace ?? "", kind, String(pods.length), callsOf(thing, traffic)?.text ?? ""];
      }),
    ),
  ];
  return found.filter((each) => each !== null);
}
