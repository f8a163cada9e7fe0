// <dd-map>: the cluster as it is now. Three ways to look at it (by node, by workload, as a table), one filter.
//
// It watches the run's own Kubernetes API over the tab's socket, and only while it can be seen.
import { h, need } from "../../lib/dom";
import { t } from "../../lib/i18n";
import { on } from "../page";
import { detail } from "./detail";
import {
  controllerUid,
  isControlPlane,
  isNodeReady,
  lookOf,
  readyCount,
  restarts,
  statusOf,
  type Look,
  type Node,
  type Pod,
  type Workload,
} from "./objects";
import { PodGroup } from "./podview";
import { Resource, Watches } from "./watch";

type Mode = "nodes" | "workloads" | "table";

const CHIPS_UP_TO = 40;
const TABLE_UP_TO = 1000;
const LOOKS: Look[] = ["running", "unready", "pending", "failed", "done", "leaving"];

interface Box {
  root: HTMLElement;
  title: HTMLElement;
  note: HTMLElement;
  group: PodGroup;
}

class MapElement extends HTMLElement {
  readonly #pods = new Resource<Pod>("pods");
  readonly #nodes = new Resource<Node>("nodes");
  readonly #deployments = new Resource<Workload>("deployments");
  readonly #replicasets = new Resource<Workload>("replicasets");
  readonly #watches = new Watches(
    [this.#pods, this.#nodes, this.#deployments, this.#replicasets],
    () => this.#schedule(),
    (ok) => (this.#broken.hidden = ok),
  );
  readonly #boxes = new Map<string, Box>();
  readonly #body = h("div", { class: "map-body" });
  readonly #detail = h("aside", { class: "map-detail", hidden: true, tabindex: -1 });
  readonly #space = h("select", { "aria-label": t("map.namespace") });
  readonly #count = h("span", { class: "muted num" });
  readonly #broken = h("p", { class: "map-broken notice notice-error", hidden: true, role: "status" }, t("map.broken"));
  #mode: Mode = "nodes";
  #namespace = "";
  #chosen: string | undefined;
  #up = false;
  #seen = false;
  #frame = 0;

  connectedCallback(): void {
    this.tabIndex = -1;
    const modes = h("div", { class: "switch switch-small", role: "group", "aria-label": t("map.view") });
    for (const mode of ["nodes", "workloads", "table"] as const) {
      const button = h("button", { type: "button", "aria-pressed": String(mode === this.#mode) }, t(`map.${mode}`));
      button.addEventListener("click", () => {
        this.#mode = mode;
        for (const other of modes.children) other.setAttribute("aria-pressed", String(other === button));
        this.#boxes.clear();
        this.#body.replaceChildren();
        this.#schedule();
      });
      modes.append(button);
    }
    this.#space.addEventListener("change", () => {
      this.#namespace = this.#space.value;
      this.#schedule();
    });
    const legend = h("ul", { class: "legend", "aria-label": t("map.legend") });
    for (const look of LOOKS) {
      legend.append(h("li", { "data-look": look }, h("span", { class: "pod-mark", "aria-hidden": "true" }), t(`map.look_${look}`)));
    }
    this.append(
      h("div", { class: "map-bar" }, modes, this.#space, this.#count),
      this.#broken,
      h("div", { class: "map-main" }, this.#body, this.#detail),
      legend,
    );
    this.#detail.setAttribute("aria-label", t("map.details"));
    this.#detail.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#choose(undefined);
    });
    on("dd-up", ({ fresh }) => {
      if (fresh) this.#watches.clear();
      this.#up = true;
      this.#flow();
    });
    on("dd-down", () => {
      this.#up = false;
      this.#flow();
    });
    new IntersectionObserver(([entry]) => {
      this.#seen = entry?.isIntersecting ?? false;
      this.#flow();
    }).observe(this);
    document.addEventListener("visibilitychange", () => this.#flow());
  }

  #flow(): void {
    this.#watches.flow(this.#up && this.#seen && !document.hidden);
  }

  #schedule(): void {
    if (!this.#frame) this.#frame = requestAnimationFrame(() => ((this.#frame = 0), this.#draw()));
  }

  #choose(uid: string | undefined): void {
    const before = this.#chosen;
    this.#chosen = uid === before ? undefined : uid;
    this.#schedule();
    if (this.#chosen === undefined && before) this.querySelector<HTMLElement>(`.pod[aria-pressed="true"]`)?.focus();
  }

  // -- drawing ---------------------------------------------------------------------------------------

  #draw(): void {
    const pods = [...this.#pods.items.values()]
      .filter((pod) => !this.#namespace || pod.metadata.namespace === this.#namespace)
      .sort((a, b) => order(a) - order(b) || a.metadata.name.localeCompare(b.metadata.name));
    this.#drawSpaces();
    this.#count.textContent = t("map.count", { pods: pods.length, nodes: this.#nodes.items.size });
    this.#body.classList.toggle("is-dense", pods.length > CHIPS_UP_TO);
    this.#body.dataset.mode = this.#mode;
    if (this.#mode === "table") this.#drawTable(pods);
    else if (this.#mode === "nodes") this.#drawNodes(pods);
    else this.#drawWorkloads(pods);
    this.#drawDetail();
  }

  #drawSpaces(): void {
    const names = new Set([...this.#pods.items.values(), ...this.#deployments.items.values()].map((o) => o.metadata.namespace ?? ""));
    names.add("default");
    const wanted = ["", ...[...names].sort()];
    if (wanted.join() === [...this.#space.options].map((o) => o.value).join()) return;
    this.#space.replaceChildren(
      ...wanted.map((name) => h("option", { value: name, selected: name === this.#namespace }, name || t("map.all"))),
    );
    if (!names.has(this.#namespace)) this.#namespace = "";
  }

  #box(key: string, kind: string): Box {
    let box = this.#boxes.get(key);
    if (!box) {
      const title = h("h2", {});
      const note = h("span", { class: "box-note num" });
      const group = new PodGroup(key, (uid) => this.#choose(uid));
      const root = h("section", { class: `box box-${kind}` }, h("div", { class: "box-head" }, title, note), group.list);
      box = { root, title, note, group };
      this.#boxes.set(key, box);
    }
    return box;
  }

  /** Show exactly these boxes, in this order, moving only what is out of place. */
  #place(boxes: Box[]): void {
    const wanted = new Set<Element>(boxes.map((box) => box.root));
    for (const child of [...this.#body.children]) if (!wanted.has(child)) child.remove();
    boxes.forEach((box, index) => {
      if (this.#body.children[index] !== box.root) this.#body.insertBefore(box.root, this.#body.children[index] ?? null);
    });
    const roots = new Set(boxes);
    for (const [key, box] of this.#boxes) if (!roots.has(box)) this.#boxes.delete(key);
  }

  #drawNodes(pods: Pod[]): void {
    const byNode = groupBy(pods, (pod) => pod.spec.nodeName ?? "");
    const boxes: Box[] = [];
    const unplaced = byNode.get("") ?? [];
    if (unplaced.length) {
      const box = this.#box("unscheduled", "waiting");
      setText(box.title, t("map.unscheduled"));
      setText(box.note, String(unplaced.length));
      box.group.update(unplaced, this.#chosen);
      boxes.push(box);
    }
    for (const node of [...this.#nodes.items.values()].sort((a, b) => a.metadata.name.localeCompare(b.metadata.name))) {
      const { name } = node.metadata;
      const box = this.#box(`node ${name}`, "node");
      const here = byNode.get(name) ?? [];
      setText(box.title, name);
      const notes = [isControlPlane(node) && t("map.control_plane"), isNodeReady(node) ? "" : t("map.not_ready"), node.spec?.unschedulable && t("map.cordoned")];
      setText(box.note, [...notes.filter(Boolean), t("map.pods_n", { n: here.length })].join(" · "));
      box.root.classList.toggle("is-bad", !isNodeReady(node));
      box.root.classList.toggle("is-cordoned", Boolean(node.spec?.unschedulable));
      box.group.update(here, this.#chosen);
      boxes.push(box);
    }
    this.#place(boxes);
  }

  #drawWorkloads(pods: Pod[]): void {
    const bySet = groupBy(pods, (pod) => controllerUid(pod) ?? "");
    const boxes: Box[] = [];
    const shown = new Set<Pod>();
    const deployments = new Map([...this.#deployments.items.values()].map((d) => [d.metadata.uid, d]));
    const sets = [...this.#replicasets.items.values()]
      .filter((set) => !this.#namespace || set.metadata.namespace === this.#namespace)
      .sort((a, b) => a.metadata.name.localeCompare(b.metadata.name));
    const owned = groupBy(sets, (set) => deployments.get(controllerUid(set) ?? "")?.metadata.uid ?? "");
    for (const [uid, deployment] of deployments) {
      if (this.#namespace && deployment.metadata.namespace !== this.#namespace) continue;
      const head = this.#box(uid, "deployment");
      setText(head.title, `Deployment ${deployment.metadata.name}`);
      setText(head.note, t("map.ready_n", { ready: deployment.status?.readyReplicas ?? 0, total: deployment.spec.replicas ?? 1 }));
      head.group.update([], undefined);
      boxes.push(head);
      for (const set of owned.get(uid) ?? []) boxes.push(this.#setBox(set, bySet.get(set.metadata.uid) ?? [], shown, true));
    }
    for (const set of owned.get("") ?? []) boxes.push(this.#setBox(set, bySet.get(set.metadata.uid) ?? [], shown, false));
    const rest = pods.filter((pod) => !shown.has(pod));
    if (rest.length) {
      const box = this.#box("rest", "rest");
      setText(box.title, t("map.rest"));
      setText(box.note, t("map.pods_n", { n: rest.length }));
      box.group.update(rest, this.#chosen);
      boxes.push(box);
    }
    this.#place(boxes);
  }

  #setBox(set: Workload, pods: Pod[], shown: Set<Pod>, inner: boolean): Box {
    const box = this.#box(set.metadata.uid, inner ? "replicaset box-inner" : "replicaset");
    const revision = set.metadata.annotations?.["deployment.kubernetes.io/revision"];
    setText(box.title, `ReplicaSet ${set.metadata.name}`);
    setText(
      box.note,
      [revision && t("map.revision", { revision }), t("map.ready_n", { ready: set.status?.readyReplicas ?? 0, total: set.spec.replicas ?? 1 })]
        .filter(Boolean)
        .join(" · "),
    );
    box.root.classList.toggle("is-idle", (set.spec.replicas ?? 1) === 0 && pods.length === 0);
    for (const pod of pods) shown.add(pod);
    box.group.update(pods, this.#chosen);
    return box;
  }

  #drawTable(pods: Pod[]): void {
    const heads = [t("map.pod_head"), t("map.namespace"), t("map.ready"), t("map.status"), t("map.restarts"), t("map.node")];
    const rows = pods.slice(0, TABLE_UP_TO).map((pod) => {
      const status = statusOf(pod);
      return h(
        "tr",
        {},
        h("th", { scope: "row" }, pod.metadata.name),
        h("td", {}, pod.metadata.namespace ?? ""),
        h("td", { class: "num" }, readyCount(pod)),
        h("td", {}, h("span", { class: `badge look-${lookOf(pod, status)}` }, status)),
        h("td", { class: "num" }, String(restarts(pod))),
        h("td", {}, pod.spec.nodeName ?? ""),
      );
    });
    this.#body.replaceChildren(
      h(
        "table",
        { class: "map-table" },
        h("caption", { class: "visually-hidden" }, t("map.table_caption")),
        h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))),
        h("tbody", {}, ...rows),
      ),
    );
  }

  #drawDetail(): void {
    const pod = this.#chosen ? this.#pods.items.get(this.#chosen) : undefined;
    if (!pod) {
      this.#detail.hidden = true;
      delete this.#detail.dataset.version;
      return;
    }
    const version = `${pod.metadata.uid}/${pod.metadata.resourceVersion}`;
    if (this.#detail.dataset.version === version) return;
    const focused = this.#detail.contains(document.activeElement);
    this.#detail.dataset.version = version;
    this.#detail.replaceChildren(detail(pod, () => this.#choose(undefined)));
    this.#detail.hidden = false;
    if (focused) need("button", this.#detail).focus();
  }
}

/** Pods that want attention come first, so that they are seen among hundreds. */
function order(pod: Pod): number {
  return { failed: 0, pending: 1, unready: 2, leaving: 3, running: 4, done: 5 }[lookOf(pod)];
}

function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function groupBy<T>(items: T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return groups;
}

customElements.define("dd-map", MapElement);
