// What Pods are reached by and what they use: Services, ConfigMaps, Secrets and claims that the learner made, as buttons
// that tell what is known of them.
import { h, icon } from "../../lib/dom";
import { t } from "../../lib/i18n";
import { emit } from "../page";
import { setText } from "./boxes";
import { facts, head, pageButton, whatIfButton, whyButton } from "./detail";
import { byName, isReady, isSystem, podCount, type Claim, type KubeObject, type Pod, type Service, type Volume } from "./objects";
import type { Choice } from "./podview";
import type { Calls, Traffic } from "./traffic";
import { usersOf, type Used } from "./usage";

/** What every cluster has, and what nobody made here. */
const OWN = new Set(["Service default/kubernetes"]);

/** Pods that are named in the details. */
const NAMES = 20;

export interface Thing {
  kind: "Service" | "PersistentVolume" | Used;
  object: KubeObject;
  /** Those that it selects, or that use it. */
  pods: Pod[];
}

/** The Pods that a Service selects. */
function selectedBy(service: Service, pods: Pod[]): Pod[] {
  const wanted = Object.entries(service.spec.selector ?? {});
  if (!wanted.length) return [];
  return pods.filter(
    ({ metadata }) =>
      metadata.namespace === service.metadata.namespace && wanted.every(([key, value]) => metadata.labels?.[key] === value),
  );
}

export interface Kept {
  services: Service[];
  configmaps: KubeObject[];
  secrets: KubeObject[];
  claims: Claim[];
  volumes: Volume[];
}

/** `folded`: leave out what is the system's own. */
export function thingsOf({ services, configmaps, secrets, claims, volumes }: Kept, pods: Pod[], folded: boolean): Thing[] {
  const made = (kind: Thing["kind"], objects: KubeObject[], podsOf: (object: KubeObject) => Pod[]): Thing[] =>
    objects
      .filter((object) => {
        const { name, namespace = "" } = object.metadata;
        return name !== "kube-root-ca.crt" && !(folded && (isSystem(object) || OWN.has(`${kind} ${namespace}/${name}`)));
      })
      .sort(byName)
      .map((object) => ({ kind, object, pods: podsOf(object) }));
  const used = (kind: Used, objects: KubeObject[]): Thing[] => made(kind, objects, ({ metadata }) => usersOf(kind, metadata.namespace ?? "", metadata.name, pods));
  return [
    ...made("Service", services, (object) => selectedBy(object as Service, pods)),
    ...used("ConfigMap", configmaps),
    ...used("Secret", secrets),
    ...used("PersistentVolumeClaim", claims),
    ...made("PersistentVolume", volumes, (object) => {
      const { claimRef } = (object as Volume).spec;
      return claimRef ? usersOf("PersistentVolumeClaim", claimRef.namespace, claimRef.name, pods) : [];
    }),
  ];
}

/** Of a Service; nobody calls anything else. */
export function callsOf({ kind, object }: Thing, traffic: Traffic): Calls | undefined {
  return kind === "Service" ? traffic.ofService(object as Service) : undefined;
}

function label({ kind, object, pods }: Thing, calls: Calls | undefined): string {
  const { name } = object.metadata;
  if (calls) return `Service ${name} → ${podCount(pods.length)}${calls.text ? ` · ${calls.text}` : ""}`;
  const phase = kind.startsWith("PersistentVolume") ? ` (${(object as Claim | Volume).status?.phase ?? t("map.none")})` : "";
  return `${kind} ${name}${phase}${pods.length ? ` ← ${podCount(pods.length)}` : ""}`;
}

/** A row of buttons, updated in place. */
export class ThingList {
  readonly list = h("ul", { class: "things", "aria-label": t("map.things") });
  readonly #buttons = new Map<string, HTMLButtonElement>();

  constructor(readonly choose: (uid: string) => void) {}

  update(things: Thing[], choice: Choice, traffic: Traffic): void {
    this.list.hidden = things.length === 0;
    const wanted = new Set(things.map((thing) => thing.object.metadata.uid));
    for (const [uid, button] of this.#buttons) {
      if (wanted.has(uid)) continue;
      button.parentElement?.remove();
      this.#buttons.delete(uid);
    }
    things.forEach((thing, index) => {
      const { uid } = thing.object.metadata;
      let button = this.#buttons.get(uid);
      if (!button) {
        button = h("button", { type: "button", class: "thing", "data-kind": thing.kind, onclick: () => this.choose(uid) });
        this.#buttons.set(uid, button);
        h("li", {}, button);
      }
      const calls = callsOf(thing, traffic);
      setText(button, label(thing, calls));
      button.classList.toggle("is-called", Boolean(calls?.answered));
      button.classList.toggle("is-refused", Boolean(calls?.refused));
      button.classList.toggle("is-empty", thing.kind === "Service" && thing.pods.length === 0);
      button.classList.toggle("is-related", thing.pods.some(({ metadata }) => metadata.uid === choice.uid));
      button.setAttribute("aria-pressed", String(uid === choice.uid));
      const item = button.parentElement as HTMLElement;
      if (this.list.children[index] !== item) this.list.insertBefore(item, this.list.children[index] ?? null);
    });
  }
}

export function thingDetail({ kind, object, pods }: Thing, close: () => void): HTMLElement {
  const { name, namespace = "", labels = {} } = object.metadata;
  const resource = kind.toLowerCase();
  const command = `kubectl describe ${resource} ${name}${namespace === "default" || namespace === "" ? "" : ` -n ${namespace}`}`;
  const volume = kind === "PersistentVolume" ? (object as Volume) : undefined;
  const spec = kind === "Service" ? (object as Service).spec : undefined;
  const claim = kind === "PersistentVolumeClaim" ? (object as Claim) : undefined;
  const ready = pods.filter(isReady).length;
  return h(
    "div",
    {},
    head(name, close),
    h("p", {}, h("span", { class: "badge" }, kind)),
    h(
      "div",
      { class: "detail-acts" },
      h("button", { type: "button", class: "button button-small", onclick: () => emit("dd-run", { command }) }, icon("play"), `kubectl describe`),
      whyButton({ resource: `${resource}s`, namespace, name }),
      whatIfButton({ resource: `${resource}s`, namespace, name }),
      spec?.ports?.length ? pageButton({ kind: "services", namespace, name, port: spec.ports[0]!.port }) : null,
    ),
    facts([
      [t("map.namespace"), namespace || undefined],
      [t("map.type"), spec?.type],
      ["ClusterIP", spec?.clusterIP],
      [t("map.ports"), spec?.ports?.map((port) => `${port.port} → ${port.targetPort ?? port.port}`).join(", ")],
      [t("map.selector"), spec && (Object.entries(spec.selector ?? {}).map(([k, v]) => `${k}=${v}`).join(", ") || t("map.none"))],
      [t("map.status"), (claim ?? volume)?.status?.phase],
      [t("map.volume"), claim?.spec.volumeName],
      [t("map.claim"), volume?.spec.claimRef && `${volume.spec.claimRef.namespace}/${volume.spec.claimRef.name}`],
      [t("map.capacity"), claim?.status?.capacity?.storage ?? volume?.spec.capacity?.storage],
      ["StorageClass", (claim ?? volume)?.spec.storageClassName],
      [t("map.labels"), Object.entries(labels).map(([k, v]) => `${k}=${v}`).join(", ")],
    ]),
    h("h3", {}, spec ? t("map.selected") : t("map.used_by")),
    h("p", {}, spec ? t("map.selected_n", { n: pods.length, ready }) : podCount(pods.length)),
    h("ul", { class: "detail-list" }, ...pods.slice(0, NAMES).map((pod) => h("li", {}, h("code", {}, pod.metadata.name)))),
    pods.length > NAMES ? h("p", { class: "muted" }, t("map.more", { n: pods.length - NAMES })) : null,
  );
}
