// Services and ConfigMaps on the map: those that the learner made, as buttons that tell what is known of them.
import { h, icon } from "../../lib/dom";
import { t } from "../../lib/i18n";
import { emit } from "../page";
import { setText } from "./boxes";
import { facts, head, pageButton, whatIfButton, whyButton } from "./detail";
import { byName, isReady, podCount, type KubeObject, type Pod, type Service } from "./objects";

/** What every cluster has, and what nobody made here. */
const OWN = new Set(["Service default/kubernetes"]);
const SYSTEM = /^kube-/;

export interface Thing {
  kind: "Service" | "ConfigMap";
  object: KubeObject;
  selected: Pod[];
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

export function thingsOf(services: Service[], configmaps: KubeObject[], pods: Pod[], namespace: string): Thing[] {
  const there = (kind: Thing["kind"], { metadata: { name, namespace: space = "" } }: KubeObject): boolean => {
    if (namespace) return space === namespace && name !== "kube-root-ca.crt";
    return !SYSTEM.test(space) && name !== "kube-root-ca.crt" && !OWN.has(`${kind} ${space}/${name}`);
  };
  return [
    ...services.filter((one) => there("Service", one)).sort(byName).map((object) => ({ kind: "Service" as const, object, selected: selectedBy(object, pods) })),
    ...configmaps.filter((one) => there("ConfigMap", one)).sort(byName).map((object) => ({ kind: "ConfigMap" as const, object, selected: [] })),
  ];
}

function label({ kind, object, selected }: Thing): string {
  const { name } = object.metadata;
  if (kind === "ConfigMap") return `ConfigMap ${name}`;
  return `Service ${name} → ${podCount(selected.length)}`;
}

/** A row of buttons, updated in place. */
export class ThingList {
  readonly list = h("ul", { class: "things", "aria-label": t("map.things") });
  readonly #buttons = new Map<string, HTMLButtonElement>();

  constructor(readonly choose: (uid: string) => void) {}

  update(things: Thing[], chosen: string | undefined): void {
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
      setText(button, label(thing));
      button.classList.toggle("is-empty", thing.kind === "Service" && thing.selected.length === 0);
      button.setAttribute("aria-pressed", String(uid === chosen));
      const item = button.parentElement as HTMLElement;
      if (this.list.children[index] !== item) this.list.insertBefore(item, this.list.children[index] ?? null);
    });
  }
}

export function thingDetail({ kind, object, selected }: Thing, close: () => void): HTMLElement {
  const { name, namespace = "", labels = {} } = object.metadata;
  const command = `kubectl describe ${kind.toLowerCase()} ${name}${namespace === "default" ? "" : ` -n ${namespace}`}`;
  const spec = kind === "Service" ? (object as Service).spec : undefined;
  const ready = selected.filter(isReady).length;
  return h(
    "div",
    {},
    head(name, close),
    h("p", {}, h("span", { class: "badge" }, kind)),
    h(
      "div",
      { class: "detail-acts" },
      h("button", { type: "button", class: "button button-small", onclick: () => emit("dd-run", { command }) }, icon("play"), `kubectl describe`),
      whyButton({ resource: `${kind.toLowerCase()}s`, namespace, name }),
      whatIfButton({ resource: `${kind.toLowerCase()}s`, namespace, name }),
      spec?.ports?.length ? pageButton({ kind: "services", namespace, name, port: spec.ports[0]!.port }) : null,
    ),
    facts([
      [t("map.namespace"), namespace],
      [t("map.type"), spec?.type],
      ["ClusterIP", spec?.clusterIP],
      [t("map.ports"), spec?.ports?.map((port) => `${port.port} → ${port.targetPort ?? port.port}`).join(", ")],
      [t("map.selector"), spec && (Object.entries(spec.selector ?? {}).map(([k, v]) => `${k}=${v}`).join(", ") || t("map.none"))],
      [t("map.selected"), spec && t("map.selected_n", { n: selected.length, ready })],
      [t("map.labels"), Object.entries(labels).map(([k, v]) => `${k}=${v}`).join(", ")],
    ]),
  );
}
