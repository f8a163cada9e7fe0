// Faults that can be injected, as buttons that type the command: what is done stands in the terminal, and in the journal.
// A fault that can be undone has its way back beside it.
import { h } from "../../lib/dom";
import { t } from "../../lib/i18n";
import { emit } from "../page";
import type { Pod } from "./objects";

interface Fault {
  label: string;
  command: string;
  undo?: { label: string; command: string };
}

function nodeFaults(name: string): Fault[] {
  return [
    { label: t("break.power_off"), command: `fault power ${name} off`, undo: { label: t("break.power_on"), command: `fault power ${name} on` } },
    { label: t("break.link_cut"), command: `fault link ${name} cut`, undo: { label: t("break.link_healed"), command: `fault link ${name} healed` } },
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
export function breakNode(name: string): HTMLElement | null {
  return section(nodeFaults(name));
}

export function breakPod(pod: Pod): HTMLElement | null {
  return section(podFaults(pod));
}
