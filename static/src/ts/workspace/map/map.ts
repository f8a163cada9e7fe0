// <dd-map>: the cluster as it is now. Three ways to look at it (by node, by workload, as a table), one filter.
//
// It watches the run's own Kubernetes API over the tab's socket, and only while it can be seen.
import { h, need } from "../../lib/dom";
import { t } from "../../lib/i18n";
import { on } from "../page";
import { Boxes, groupBy } from "./boxes";
import { detail } from "./detail";
import {
  byName,
  isControlPlane,
  isNodeReady,
  lookOf,
  podCount,
  readyCount,
  restarts,
  statusOf,
  type DaemonSet,
  type Job,
  type KubeObject,
  type Look,
  type Node,
  type Pod,
  type Service,
  type Workload,
} from "./objects";
import { thingDetail, ThingList, thingsOf, type Thing } from "./things";
import { Resource, Watches } from "./watch";
import { drawWorkloads } from "./workloads";

type Mode = "nodes" | "workloads" | "table";

const CHIPS_UP_TO = 40;
const TABLE_UP_TO = 1000;
const LOOKS: Look[] = ["running", "unready", "pending", "failed", "done", "leaving"];

class MapElement extends HTMLElement {
  readonly #pods = new Resource<Pod>("pods");
  readonly #nodes = new Resource<Node>("nodes");
  readonly #namespaces = new Resource("namespaces");
  readonly #services = new Resource<Service>("services");
  readonly #configmaps = new Resource("configmaps");
  readonly #deployments = new Resource<Workload>("deployments");
  readonly #replicasets = new Resource<Workload>("replicasets");
  readonly #daemonsets = new Resource<DaemonSet>("daemonsets");
  readonly #statefulsets = new Resource<Workload>("statefulsets");
  readonly #jobs = new Resource<Job>("jobs");
  readonly #watches = new Watches(
    [
      this.#nodes,
      this.#namespaces,
      this.#pods,
      this.#deployments,
      this.#replicasets,
      this.#daemonsets,
      this.#statefulsets,
      this.#jobs,
      this.#services,
      this.#configmaps,
    ],
    () => this.#schedule(),
    (ok) => (this.#broken.hidden = ok),
  );
  readonly #body = h("div", { class: "map-body" });
  readonly #boxes = new Boxes(this.#body, (uid) => this.#choose(uid));
  readonly #things = new ThingList((uid) => this.#choose(uid));
  readonly #detail = h("aside", { class: "map-detail", hidden: true, tabindex: -1 });
  readonly #space = h("select", { "aria-label": t("map.namespace") });
  readonly #count = h("span", { class: "muted num" });
  readonly #broken = h("p", { class: "map-broken notice notice-error", hidden: true, role: "status" }, t("map.broken"));
  readonly #past = h("p", { class: "map-past", hidden: true });
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
      this.#past,
      h("div", { class: "map-main" }, h("div", { class: "map-scroll" }, this.#body, this.#things.list), this.#detail),
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
    on("dd-past", (past) => {
      this.classList.toggle("is-past", past !== undefined);
      this.#past.hidden = past === undefined;
      if (past) this.#past.textContent = t("map.past", { time: past.at.slice(11, 19) });
      this.#watches.show(past?.objects);
    });
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
    if (this.#chosen === undefined && before) this.querySelector<HTMLElement>(`:is(.pod, .thing)[aria-pressed="true"]`)?.focus();
  }

  // -- drawing ---------------------------------------------------------------------------------------

  /** What is in the chosen namespace. */
  #here<T extends KubeObject>({ items }: Resource<T>): T[] {
    return [...items.values()].filter((one) => !this.#namespace || one.metadata.namespace === this.#namespace);
  }

  #draw(): void {
    this.#drawSpaces();
    const pods = this.#here(this.#pods).sort((a, b) => order(a) - order(b) || a.metadata.name.localeCompare(b.metadata.name));
    const things = thingsOf(this.#here(this.#services), this.#here(this.#configmaps), pods, this.#namespace);
    this.#count.textContent = t("map.count", { pods: pods.length, nodes: this.#nodes.items.size });
    this.#body.classList.toggle("is-dense", pods.length > CHIPS_UP_TO);
    this.#body.dataset.mode = this.#mode;
    if (this.#mode === "table") this.#drawTable(pods);
    else {
      if (this.#mode === "nodes") this.#drawNodes(pods);
      else {
        const shown = {
          pods,
          deployments: this.#here(this.#deployments),
          replicasets: this.#here(this.#replicasets),
          daemonsets: this.#here(this.#daemonsets),
          statefulsets: this.#here(this.#statefulsets),
          jobs: this.#here(this.#jobs),
        };
        drawWorkloads(this.#boxes, shown, this.#chosen);
      }
      this.#boxes.settle();
    }
    this.#things.update(things, this.#chosen);
    this.#drawDetail(things);
  }

  #drawSpaces(): void {
    const names = [...this.#namespaces.items.values()].map((space) => space.metadata.name).sort();
    if (this.#namespace && !names.includes(this.#namespace)) this.#namespace = "";
    const wanted = ["", ...names];
    if (wanted.join() === [...this.#space.options].map((o) => o.value).join()) return;
    this.#space.replaceChildren(
      ...wanted.map((name) => h("option", { value: name, selected: name === this.#namespace }, name || t("map.all"))),
    );
  }

  #drawNodes(pods: Pod[]): void {
    const byNode = groupBy(pods, (pod) => pod.spec.nodeName ?? "");
    const unplaced = byNode.get("") ?? [];
    byNode.delete("");
    if (unplaced.length) {
      this.#boxes.show("unscheduled", "box-waiting", t("map.unscheduled"), [String(unplaced.length)], unplaced, this.#chosen);
    }
    for (const node of [...this.#nodes.items.values()].sort(byName)) {
      const { name } = node.metadata;
      const here = byNode.get(name) ?? [];
      byNode.delete(name);
      const ready = isNodeReady(node);
      const look = `box-node${ready ? "" : " is-bad"}${node.spec?.unschedulable ? " is-cordoned" : ""}`;
      const notes = [isControlPlane(node) && t("map.control_plane"), !ready && t("map.not_ready"), node.spec?.unschedulable && t("map.cordoned")];
      this.#boxes.show(`node ${name}`, look, name, [...notes, podCount(here.length)], here, this.#chosen);
    }
    // Bound to nodes that are not there any more.
    for (const [name, lost] of [...byNode].sort(([a], [b]) => a.localeCompare(b))) {
      this.#boxes.show(`gone ${name}`, "box-node is-bad is-gone", name, [t("map.gone"), podCount(lost.length)], lost, this.#chosen);
    }
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

  #drawDetail(things: Thing[]): void {
    const pod = this.#chosen ? this.#pods.items.get(this.#chosen) : undefined;
    const thing = things.find(({ object }) => object.metadata.uid === this.#chosen);
    const object = pod ?? thing?.object;
    if (!object) {
      this.#detail.hidden = true;
      delete this.#detail.dataset.version;
      return;
    }
    const selected = thing?.selected.map((one) => one.metadata.resourceVersion).join() ?? "";
    const version = `${object.metadata.uid}/${object.metadata.resourceVersion}/${selected}`;
    if (this.#detail.dataset.version === version) return;
    const focused = this.#detail.contains(document.activeElement);
    this.#detail.dataset.version = version;
    const close = (): void => this.#choose(undefined);
    this.#detail.replaceChildren(pod ? detail(pod, close) : thingDetail(thing as Thing, close));
    this.#detail.hidden = false;
    if (focused) need("button", this.#detail).focus();
  }
}

/** Pods that want attention come first, so that they are seen among hundreds. */
function order(pod: Pod): number {
  return { failed: 0, pending: 1, unready: 2, leaving: 3, running: 4, done: 5 }[lookOf(pod)];
}

customElements.define("dd-map", MapElement);
