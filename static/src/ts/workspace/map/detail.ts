// What the map tells about one Pod when it is chosen.
import { h, icon } from "../../lib/dom";
import { t } from "../../lib/i18n";
import { breakPod } from "./breaking";
import { lookOf, readyCount, restarts, statusOf, type Condition, type ContainerStatus, type Pod } from "./objects";
import { emit, type Asked, type Previewed, type Tried } from "../page";

const HTTP = 80;

function firstPort(pod: Pod): number {
  const ports = pod.spec.containers.flatMap((container) => container.ports ?? []);
  return ports.find((port) => (port.protocol ?? "TCP") === "TCP")?.containerPort ?? HTTP;
}

/** Opens the page that is served there. */
export function pageButton(wanted: Previewed): HTMLElement {
  return h("button", { type: "button", class: "button button-small", onclick: () => emit("dd-preview", wanted) }, t("preview.page"));
}

/** Tells why it is as it is. */
export function whyButton(asked: Asked): HTMLElement {
  return h("button", { type: "button", class: "button button-small", onclick: () => emit("dd-why", asked) }, t("why.ask"));
}

/** Asks what would happen if something were done to it. */
export function whatIfButton(tried: Tried): HTMLElement {
  return h("button", { type: "button", class: "button button-small", onclick: () => emit("dd-whatif", tried) }, t("whatif.open"));
}

function stateText(container: ContainerStatus | undefined): string {
  const state = container?.state;
  if (state?.waiting) return state.waiting.reason ?? "Waiting";
  if (state?.terminated) return `${state.terminated.reason ?? "Terminated"} (${state.terminated.exitCode ?? 0})`;
  return state?.running ? "Running" : t("map.none");
}

export function facts(rows: [string, string | undefined][]): HTMLElement {
  const list = h("dl", { class: "facts-list" });
  for (const [name, value] of rows) {
    if (value) list.append(h("dt", {}, name), h("dd", {}, value));
  }
  return list;
}

/** The name of what is told about, and the way out. */
export function head(name: string, close: () => void): HTMLElement {
  const closer = h("button", { type: "button", class: "bar-button", onclick: close }, icon("cross"));
  closer.setAttribute("aria-label", t("map.close"));
  return h("div", { class: "detail-head" }, h("h2", {}, name), closer);
}

/** Conditions, and which of them are as one wishes. */
export function conditionList(conditions: Condition[], isGood = ({ status }: Condition): boolean => status === "True"): HTMLElement | null {
  if (!conditions.length) return null;
  const items = conditions.map((one) =>
    h(
      "li",
      { class: isGood(one) ? "is-true" : "is-false" },
      h("strong", {}, one.type),
      ` ${one.status}`,
      one.reason ? ` · ${one.reason}` : null,
      one.message ? h("span", {}, one.message) : null,
    ),
  );
  return h("section", {}, h("h3", {}, t("map.conditions")), h("ul", { class: "detail-list" }, ...items));
}

export function detail(pod: Pod, close: () => void): HTMLElement {
  const { name, namespace = "", labels = {} } = pod.metadata;
  const status = statusOf(pod);
  const statuses = new Map((pod.status?.containerStatuses ?? []).map((c) => [c.name, c]));
  const command = `kubectl describe pod ${name}${namespace === "default" ? "" : ` -n ${namespace}`}`;
  const waiting = [...statuses.values()].find((c) => c.state?.waiting?.message)?.state?.waiting?.message;
  return h(
    "div",
    {},
    head(name, close),
    h("p", {}, h("span", { class: `badge look-${lookOf(pod)}` }, status)),
    waiting ? h("p", { class: "detail-why" }, waiting) : null,
    h(
      "div",
      { class: "detail-acts" },
      h("button", { type: "button", class: "button button-small", onclick: () => emit("dd-run", { command }) }, icon("play"), "kubectl describe"),
      whyButton({ resource: "pods", namespace, name }),
      whatIfButton({ resource: "pods", namespace, name, node: pod.spec.nodeName }),
      pod.status?.podIP ? pageButton({ kind: "pods", namespace, name, port: firstPort(pod) }) : null,
    ),
    breakPod(pod),
    facts([
      [t("map.namespace"), namespace],
      [t("map.node"), pod.spec.nodeName ?? t("map.unscheduled")],
      ["IP", pod.status?.podIP],
      [t("map.ready"), readyCount(pod)],
      [t("map.restarts"), String(restarts(pod))],
      [t("map.owner"), pod.metadata.ownerReferences?.map((o) => `${o.kind} ${o.name}`).join(", ")],
      [t("map.labels"), Object.entries(labels).map(([k, v]) => `${k}=${v}`).join(", ")],
    ]),
    h("h3", {}, t("map.containers")),
    h(
      "ul",
      { class: "detail-list" },
      ...pod.spec.containers.map((c) =>
        h("li", {}, h("strong", {}, c.name), ` ${stateText(statuses.get(c.name))}`, h("code", {}, c.image)),
      ),
    ),
    conditionList(pod.status?.conditions ?? []),
  );
}
