// Faults that can be injected, as buttons that type the command: what is done stands in the terminal, and in the journal.
// A fault that can be undone has its way back beside it.
import { h } from "../../lib/dom";
import { t } from "../../lib/i18n";
import { emit } from "../page";
import { isControlPlane, type Node, type Pod } from "./objects";

interface Fault {
  label: string;
  command: string;
  undo?: { label: string; command: string };
}

/** How much of a node is taken so that its kubelet is short of it: it keeps a tenth of the disk and 100 Mi of memory. */
const FULL = { disk: 95, memory: 99 } as const;

/** Components whose manifests lie on a node of the control plane; what is stopped has no Pod to choose any more. */
export const COMPONENTS = ["kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd"];

function nodeFaults(node: Node): Fault[] {
  const { name } = node.metadata;
  const fault = (what: string, off: string, on: string, values: Record<string, string> = {}): Fault => ({
    label: t(`break.${what}`, values),
    command: `fault ${off}`,
    undo: { label: t(`break.${what}_undo`, values), command: `fault ${on}` },
  });
  return [
    fault("power", `power ${name} off`, `power ${name} on`),
    fault("link", `link ${name} cut`, `link ${name} healed`),
    fault("kubelet", `kubelet ${name} down`, `kubelet ${name} up`),
    fault("memory", `fill ${name} memory ${FULL.memory}`, `fill ${name} memory 0`),
    fault("disk", `fill ${name} disk ${FULL.disk}`, `fill ${name} disk 0`),
    ...(isControlPlane(node) ? COMPONENTS : []).map((component) =>
      fault("component", `component ${component} down ${name}`, `component ${component} up ${name}`, { component }),
    ),
  ];
}

/** The registry of an image: what stands before the first slash, if it is a host. */
function registryOf(image: string): string {
  const first = image.split("/")[0] ?? "";
  return image.includes("/") && /[.:]|^localhost$/.test(first) ? first : "docker.io";
}

function podFaults({ metadata: { name, namespace = "default" }, spec }: Pod): Fault[] {
  const kills = spec.containers.map((container) => ({
    label: t("break.kill", { container: container.name }),
    command: `fault kill ${name} ${container.name} ${namespace}`,
  }));
  const registries = [...new Set(spec.containers.map(({ image }) => registryOf(image)))].map((host) => ({
    label: t("break.registry_down", { host }),
    command: `fault registry ${host} down`,
    undo: { label: t("break.registry_up", { host }), command: `fault registry ${host} up` },
  }));
  return [...kills, ...registries];
}

function section(faults: Fault[]): HTMLElement | null {
  if (document.body.dataset.faults === undefined) return null;
  const button = ({ label, command }: { label: string; command: string }): HTMLElement =>
    h("button", { type: "button", class: "button button-small", title: command, onclick: () => emit("dd-run", { command }) }, label);
  return h(
    "details",
    { class: "detail-break" },
    h("summary", {}, t("break.title")),
    h("p", { class: "muted" }, t("break.lead")),
    h("ul", {}, ...faults.map((fault) => h("li", {}, button(fault), fault.undo ? button(fault.undo) : null))),
  );
}

/** What can be broken of a node; nothing where the lab does not want it. */
export function breakNode(node: Node): HTMLElement | null {
  return section(nodeFaults(node));
}

export function breakPod(pod: Pod): HTMLElement | null {
  return section(podFaults(pod));
}
