// The same facts as the map's, as tables: for who reads better than looks, and for a screen reader. Rows are kept and
// updated in place: with hundreds of Pods, only what changed is touched.
import { h } from "../../lib/dom";
import { t } from "../../lib/i18n";
import { setText } from "./boxes";
import { byName, isControlPlane, isNodeReady, lookOf, readyCount, restarts, statusOf, taintsOf, zoneOf, type Look, type Node, type Pod } from "./objects";
import { barsOf } from "./requests";
import { callsOf, type Thing } from "./things";
import type { Traffic } from "./traffic";
import { progressOf, workloadsOf, type Workloads } from "./workloads";

const ROWS = 1000;

interface Row {
  uid: string;
  /** The first is the row's head; `""`: it says nothing. */
  cells: string[];
  /** How the cell of that place looks. */
  badge?: { place: number; look: Look };
}

class Table {
  readonly root: HTMLTableElement;
  readonly #body = h("tbody", {});
  readonly #rows = new Map<string, HTMLTableRowElement>();

  constructor(caption: string, heads: string[]) {
    this.root = h(
      "table",
      { class: "map-table" },
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, ...heads.map((text) => h("th", { scope: "col" }, text)))),
      this.#body,
    );
  }

  update(rows: Row[]): void {
    this.root.hidden = rows.length === 0;
    const wanted = new Set(rows.map(({ uid }) => uid));
    for (const [uid, row] of this.#rows) {
      if (wanted.has(uid)) continue;
      row.remove();
      this.#rows.delete(uid);
    }
    let place = this.#body.firstElementChild;
    for (const row of rows) {
      const shown = this.#row(row);
      if (shown === place) place = shown.nextElementSibling;
      else this.#body.insertBefore(shown, place);
    }
  }

  #row({ uid, cells, badge }: Row): HTMLTableRowElement {
    let row = this.#rows.get(uid);
    if (!row) {
      row = h("tr", {}, ...cells.map((_text, place) => (place ? h("td", {}) : h("th", { scope: "row" }))));
      if (badge) row.children[badge.place]?.append(h("span", {}));
      this.#rows.set(uid, row);
    }
    for (const [place, text] of cells.entries()) {
      const cell = row.children[place] as HTMLElement;
      if (place !== badge?.place) {
        setText(cell, text);
        continue;
      }
      const told = cell.firstElementChild as HTMLElement;
      const look = `badge look-${badge.look}`;
      if (told.className !== look) told.className = look;
      setText(told, text);
    }
    return row;
  }
}

function nodeRow(node: Node, pods: Pod[]): Row {
  const said = [isNodeReady(node) ? "Ready" : "NotReady", isControlPlane(node) && t("map.control_plane"), node.spec?.unschedulable && t("map.cordoned")];
  const here = pods.filter(({ spec }) => spec.nodeName === node.metadata.name);
  const bars = barsOf(node, here).map(({ short }) => short);
  return { uid: node.metadata.uid, cells: [node.metadata.name, said.filter(Boolean).join(" · "), zoneOf(node), taintsOf(node).join(", "), ...bars] };
}

function podRow(pod: Pod, traffic: Traffic): Row {
  const status = statusOf(pod);
  const { uid, name, namespace = "" } = pod.metadata;
  const cells = [name, namespace, readyCount(pod), status, String(restarts(pod)), pod.spec.nodeName ?? "", traffic.ofPod(pod).text];
  return { uid, cells, badge: { place: 3, look: lookOf(pod) } };
}

function thingRow(thing: Thing, traffic: Traffic): Row {
  const { kind, object, pods } = thing;
  const { uid, name, namespace = "" } = object.metadata;
  return { uid, cells: [name, namespace, kind, String(pods.length), callsOf(thing, traffic)?.text ?? ""] };
}

export class Tables {
  readonly #nodes = new Table(t("map.nodes"), [t("map.node"), t("map.status"), t("map.zone"), t("map.taints"), "CPU", t("map.memory_gib"), "Pods"]);
  readonly #workloads = new Table(t("map.workloads"), [t("map.name"), t("map.namespace"), t("map.kind"), t("map.ready")]);
  readonly #pods = new Table("Pods", [t("map.pod_head"), t("map.namespace"), t("map.ready"), t("map.status"), t("map.restarts"), t("map.node"), t("map.traffic")]);
  readonly #things = new Table(t("map.things"), [t("map.name"), t("map.namespace"), t("map.kind"), "Pods", t("map.traffic")]);
  readonly #all = [this.#nodes, this.#workloads, this.#pods, this.#things].map(({ root }) => root);

  /** Show them in `body`. `all`: every Pod that there is; `shown`: those of them that are to be told, with the workloads. */
  show(body: HTMLElement, nodes: Node[], all: Pod[], shown: Workloads, things: Thing[], traffic: Traffic): void {
    this.#nodes.update([...nodes].sort(byName).map((node) => nodeRow(node, all)));
    this.#workloads.update(
      workloadsOf(shown).map(([kind, one]) => ({ uid: one.metadata.uid, cells: [one.metadata.name, one.metadata.namespace ?? "", kind, progressOf(kind, one)] })),
    );
    this.#pods.update(shown.pods.slice(0, ROWS).map((pod) => podRow(pod, traffic)));
    this.#things.update(things.map((thing) => thingRow(thing, traffic)));
    if (body.firstElementChild !== this.#nodes.root) body.replaceChildren(...this.#all);
  }
}
