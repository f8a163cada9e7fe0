// <dd-map>: the cluster as it is now. Three ways to look at it (by node, by workload, as a table), one filter.
//
// It watches the run's own Kubernetes API over the tab's socket, and only while it can be seen.
import { h } from "../../lib/dom";
import { t } from "../../lib/i18n";
import { on } from "../page";
import { Boxes } from "./boxes";
import { COMPONENTS } from "./breaking";
import { detail } from "./detail";
import { filterOf, type Filter } from "./filter";
import { drawNodes, nodeDetail } from "./nodes";
import { controllerUid, inOrder, isSystem, lookOf, type Claim, type KubeObject, type Look, type Node, type Pod, type Service, type Volume, type Workload } from "./objects";
import type { Choice } from "./podview";
import { Tables } from "./tables";
import { Ticker } from "./ticker";
import { Traffic } from "./traffic";
import { thingDetail, ThingList, thingsOf, type Thing } from "./things";
import { Resource, Watches } from "./watch";
import { drawWorkloads, workloadDetail, workloadsOf, type Workloads } from "./workloads";

type Mode = "nodes" | "workloads" | "table";

const CHIPS_UP_TO = 40;
/** A table is laid out anew as a whole: not more often than this. */
const TABLE_MS = 300;
/** What takes the focus in an object's details. */
const CONTROLS = "button, summary, a[href], select";
const ORDER: Record<Look, number> = { failed: 0, pending: 1, unready: 2, leaving: 3, running: 4, done: 5 };
const LOOKS: Look[] = ["running", "unready", "pending", "failed", "done", "leaving"];

class MapElement extends HTMLElement {
  readonly #pods = new Resource<Pod>("pods");
  readonly #nodes = new Resource<Node>("nodes");
  readonly #namespaces = new Resource("namespaces");
  readonly #services = new Resource<Service>("services");
  readonly #configmaps = new Resource("configmaps");
  readonly #secrets = new Resource("secrets");
  readonly #claims = new Resource<Claim>("persistentvolumeclaims");
  readonly #deployments = new Resource<Workload>("deployments");
  readonly #replicasets = new Resource<Workload>("replicasets");
  readonly #daemonsets = new Resource<Workload>("daemonsets");
  readonly #statefulsets = new Resource<Workload>("statefulsets");
  readonly #jobs = new Resource<Workload>("jobs");
  readonly #cronjobs = new Resource<Workload>("cronjobs");
  readonly #volumes = new Resource<Volume>("persistentvolumes");
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
      this.#cronjobs,
      this.#services,
      this.#configmaps,
      this.#secrets,
      this.#claims,
      this.#volumes,
    ],
    () => this.#schedule(),
    (ok) => (this.#broken.hidden = ok),
    (stopped) => {
      this.#halted = stopped;
      this.#silent.hidden = !stopped.includes("kube-apiserver");
      this.#schedule();
    },
  );
  readonly #body = h("div", { class: "map-body" });
  readonly #boxes = new Boxes(this.#body, (uid) => this.#choose(uid));
  readonly #tables = new Tables();
  readonly #things = new ThingList((uid) => this.#choose(uid));
  readonly #detail = h("aside", { class: "map-detail", hidden: true, tabindex: -1 });
  readonly #scroll = h("div", { class: "map-scroll", role: "region", "aria-label": t("map.view_label") }, this.#body, this.#things.list);
  readonly #space = h("select", { "aria-label": t("map.namespace") });
  readonly #count = h("span", { class: "muted num" });
  readonly #broken = h("p", { class: "map-broken notice notice-error", hidden: true, role: "status" }, t("map.broken"));
  readonly #silent = h("p", { class: "map-broken notice notice-error", hidden: true, role: "status" }, t("map.silent"));
  readonly #past = h("p", { class: "map-past", hidden: true });
  readonly #search = h("input", { type: "search", class: "map-filter", "aria-label": t("map.filter"), title: t("map.filter_title"), placeholder: t("map.filter_example"), maxlength: 200 });
  readonly #system = h("button", { type: "button", class: "button button-small", "aria-pressed": "false", title: t("map.system_title") }, t("map.system"));
  readonly #ticker = new Ticker();
  readonly #traffic = new Traffic(() => this.#schedule());
  #halted: string[] = [];
  #filter: Filter = () => true;
  #unfolded = false;
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
    this.#search.addEventListener("input", () => {
      this.#filter = filterOf(this.#search.value);
      this.#schedule();
    });
    this.#system.addEventListener("click", () => {
      this.#unfolded = !this.#unfolded;
      this.#system.setAttribute("aria-pressed", String(this.#unfolded));
      this.#schedule();
    });
    const legend = h("ul", { class: "legend", "aria-label": t("map.legend") });
    for (const look of LOOKS) {
      legend.append(h("li", { "data-look": look }, h("span", { class: "pod-mark", "aria-hidden": "true" }), t(`map.look_${look}`)));
    }
    this.append(
      h("div", { class: "map-bar" }, modes, this.#space, this.#system, this.#search, this.#count),
      this.#broken,
      this.#silent,
      this.#past,
      h("div", { class: "map-main" }, this.#scroll, this.#detail),
      this.#ticker.root,
      legend,
    );
    this.#detail.setAttribute("aria-label", t("map.details"));
    this.#detail.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#choose(undefined);
    });
    on("dd-up", ({ fresh }) => {
      if (fresh) {
        this.#watches.clear();
        this.#ticker.clear();
        this.#traffic.clear();
      }
      this.#up = true;
      this.#flow();
    });
    on("dd-branch", () => this.#watches.clear());
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
      this.#flow();
    });
  }

  #flow(): void {
    const flows = this.#up && this.#seen && !document.hidden;
    this.#watches.flow(flows);
    this.#ticker.flow(flows);
    this.#traffic.flow(flows && !this.classList.contains("is-past"));
  }

  #schedule(): void {
    if (this.#frame) return;
    const draw = (): void => ((this.#frame = 0), this.#draw());
    this.#frame = this.#mode === "table" && this.#body.hasChildNodes() ? window.setTimeout(draw, TABLE_MS) : requestAnimationFrame(draw);
  }

  #choose(uid: string | undefined): void {
    const before = this.#chosen;
    this.#chosen = uid === before ? undefined : uid;
    this.#schedule();
    if (this.#chosen === undefined && before) this.querySelector<HTMLElement>(`:is(.pod, .thing, .box-title)[aria-pressed="true"]`)?.focus();
  }

  // -- drawing ---------------------------------------------------------------------------------------

  /** Whether the system's own is folded: where it is not asked for. */
  get #folds(): boolean {
    return this.#namespace === "" && !this.#unfolded;
  }

  /** What is in the chosen namespace, and holds by the filter. */
  #here<T extends KubeObject>({ items }: Resource<T>): T[] {
    return [...items.values()].filter((one) => (!this.#namespace || one.metadata.namespace === this.#namespace) && this.#filter(one));
  }

  /** What is in no namespace, while none is chosen, and holds by the filter. */
  #ofAll<T extends KubeObject>({ items }: Resource<T>): T[] {
    return this.#namespace ? [] : [...items.values()].filter((one) => this.#filter(one));
  }

  /** The workloads of these Pods, and those that the filter names itself. */
  #workloads(pods: Pod[]): Workloads {
    const owning = new Set(pods.map(controllerUid));
    const shown = <T extends KubeObject>({ items }: Resource<T>): T[] =>
      [...items.values()].filter(
        (one) =>
          (!this.#namespace || one.metadata.namespace === this.#namespace) &&
          !(this.#folds && isSystem(one)) &&
          (this.#filter(one) || owning.has(one.metadata.uid)),
      );
    const replicasets = shown(this.#replicasets);
    for (const set of replicasets) owning.add(controllerUid(set));
    const jobs = shown(this.#jobs);
    for (const job of jobs) owning.add(controllerUid(job));
    return { pods, replicasets, deployments: shown(this.#deployments), daemonsets: shown(this.#daemonsets), statefulsets: shown(this.#statefulsets), jobs, cronjobs: shown(this.#cronjobs) };
  }

  #draw(): void {
    this.#drawSpaces();
    this.#ticker.stopped(this.#stopped());
    const all = [...this.#pods.items.values()];
    const found = this.#here(this.#pods).sort((a, b) => order(a) - order(b) || inOrder(a.metadata.name, b.metadata.name));
    const pods = this.#folds ? found.filter((pod) => !isSystem(pod)) : found;
    const folded = this.#folds ? found.filter(isSystem) : [];
    const kept = { services: this.#here(this.#services), configmaps: this.#here(this.#configmaps), secrets: this.#here(this.#secrets), claims: this.#here(this.#claims), volumes: this.#ofAll(this.#volumes) };
    const things = thingsOf(kept, all, this.#folds || this.#namespace === "");
    const workloads = this.#workloads(pods);
    const choice = this.#choice(things, workloads, pods);
    const nodes = [...this.#nodes.items.values()];
    this.#count.textContent = t("map.count", { pods: found.length, nodes: nodes.length });
    this.#system.hidden = this.#namespace !== "";
    this.#body.classList.toggle("is-dense", pods.length > CHIPS_UP_TO);
    this.#body.dataset.mode = this.#mode;
    this.#scroll.tabIndex = this.#mode === "table" ? 0 : -1; // tables have nothing else that takes the focus
    if (this.#mode === "table") this.#tables.show(this.#body, nodes, all, { ...workloads, pods: found }, things, this.#traffic);
    else {
      if (this.#mode === "nodes") drawNodes(this.#boxes, nodes, pods, folded, all, choice);
      else drawWorkloads(this.#boxes, workloads, folded, choice);
      this.#boxes.settle();
    }
    this.#things.list.classList.toggle("is-told", this.#mode === "table");
    this.#things.update(things, choice, this.#traffic);
    this.#drawDetail(things, workloads, all);
  }

  /** What was chosen, the Pods that it has to do with, and those that are called. */
  #choice(things: Thing[], workloads: Workloads, pods: Pod[]): Choice {
    const uid = this.#chosen;
    const called = new Map(pods.map((pod) => [pod.metadata.uid, this.#traffic.ofPod(pod).text] as const).filter(([, text]) => text));
    if (uid === undefined) return { uid, related: new Set(), called };
    const thing = things.find(({ object }) => object.metadata.uid === uid);
    const related = thing?.pods ?? ownedBy(uid, workloads);
    return { uid, related: new Set(related.map(({ metadata }) => metadata.uid)), called };
  }

  /** The parts of the control plane that run on no node, where the cluster's own Pods are they. */
  #stopped(): Set<string> {
    const pods = [...this.#pods.items.values()].filter(({ metadata }) => metadata.labels?.tier === "control-plane");
    const there = new Set(pods.map(({ metadata }) => metadata.labels?.component));
    const stopped = new Set(there.size ? COMPONENTS.filter((component) => !there.has(component)) : []);
    return new Set([...stopped, ...this.#halted]);
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

  #drawDetail(things: Thing[], workloads: Workloads, all: Pod[]): void {
    const uid = this.#chosen ?? "";
    const close = (): void => this.#choose(undefined);
    const pod = this.#pods.items.get(uid);
    const node = this.#nodes.items.get(uid);
    const thing = things.find(({ object }) => object.metadata.uid === uid);
    const workload = workloadsOf(workloads).find(([, { metadata }]) => metadata.uid === uid);
    if (pod) this.#tell(pod, [], () => detail(pod, close));
    else if (node) {
      const here = all.filter(({ spec }) => spec.nodeName === node.metadata.name);
      this.#tell(node, here, () => nodeDetail(node, here, close));
    } else if (thing) this.#tell(thing.object, thing.pods, () => thingDetail(thing, close));
    else if (workload) {
      const [kind, one] = workload;
      const owned = ownedBy(uid, workloads);
      this.#tell(one, owned, () => workloadDetail(kind, one, owned, close));
    } else {
      this.#detail.hidden = true;
      delete this.#detail.dataset.version;
    }
  }

  /** Tell about an object, anew when it or one of these Pods has changed. */
  #tell({ metadata }: KubeObject, pods: Pod[], make: () => HTMLElement): void {
    const version = [metadata, ...pods.map((pod) => pod.metadata)].map(({ uid, resourceVersion }) => `${uid}/${resourceVersion}`).join();
    if (this.#detail.dataset.version === version) return;
    const focused = [...this.#detail.querySelectorAll<HTMLElement>(CONTROLS)].findIndex((each) => each === document.activeElement);
    const open = this.#detail.querySelector<HTMLDetailsElement>("details")?.open ?? false;
    const same = this.#detail.dataset.version?.startsWith(`${metadata.uid}/`);
    this.#detail.dataset.version = version;
    this.#detail.replaceChildren(make());
    const details = this.#detail.querySelector("details");
    if (details && same) details.open = open;
    this.#detail.hidden = false;
    const controls = this.#detail.querySelectorAll<HTMLElement>(CONTROLS);
    if (focused >= 0) ((same ? controls[focused] : undefined) ?? controls[0])?.focus();
  }
}

/** The Pods of a workload; of a Deployment those of its ReplicaSets, of a CronJob those of its Jobs. */
function ownedBy(uid: string, { pods, replicasets, jobs }: Workloads): Pod[] {
  const owners = new Set([uid, ...[...replicasets, ...jobs].filter((one) => controllerUid(one) === uid).map(({ metadata }) => metadata.uid)]);
  return pods.filter((pod) => owners.has(controllerUid(pod) ?? ""));
}

/** Pods that want attention come first, so that they are seen among hundreds. */
function order(pod: Pod): number {
  return ORDER[lookOf(pod)];
}

customElements.define("dd-map", MapElement);
