// What happens in the cluster, told as it does, and the parts of the control plane, lit when they act.
import { h } from "../../lib/dom";
import { t } from "../../lib/i18n";
import { socket } from "../socket";

interface Happening {
  at: string;
  component: string;
  text: string;
}

const KEPT = 40;
const LIT_MS = 1500;

/** Part → whether a component is it; whoever is none of them is a client. */
const PARTS: Record<string, (component: string) => boolean> = {
  "kube-scheduler": (component) => component.includes("scheduler"),
  "kube-controller-manager": (component) => /controller|^kube-controller-manager/.test(component),
  kubelet: (component) => component === "kubelet",
};

export class Ticker {
  readonly #last = h("summary", { class: "ticker-last" }, t("ticker.nothing"));
  readonly #list = h("ol", { class: "ticker-list", tabindex: 0, "aria-label": t("ticker.label") });
  readonly #parts = new Map<string, HTMLElement>();
  readonly #lit = new Map<string, number>();
  readonly root: HTMLElement;
  #flows = false;

  constructor() {
    const parts = ["kube-apiserver", "etcd", ...Object.keys(PARTS)];
    for (const part of parts) this.#parts.set(part, h("li", { class: "part" }, part));
    this.root = h(
      "div",
      { class: "ticker" },
      h("ul", { class: "parts", "aria-label": t("ticker.parts") }, ...this.#parts.values()),
      h("details", {}, this.#last, this.#list),
    );
    socket.follow("ticker", {
      opened: () => this.#follow(),
      message: ({ items, more }) => this.#tell(items as Happening[], Number(more)),
    });
  }

  /** Follow the cluster, or do not. */
  flow(open: boolean): void {
    if (open === this.#flows) return;
    this.#flows = open;
    this.#follow();
  }

  /** Mark the parts that do not run. */
  stopped(parts: Set<string>): void {
    for (const [part, element] of this.#parts) {
      if (element.classList.toggle("is-stopped", parts.has(part)) === (element.childElementCount > 0)) continue;
      element.replaceChildren(part, ...(parts.has(part) ? [h("span", {}, ` ${t("ticker.stopped")}`)] : []));
    }
  }

  clear(): void {
    this.#list.replaceChildren();
    this.#last.textContent = t("ticker.nothing");
  }

  #follow(): void {
    socket.send({ ch: "ticker", type: "follow", on: this.#flows, language: document.documentElement.lang });
  }

  #tell(items: Happening[], more: number): void {
    const lines = items.map(({ at, text }) => h("li", {}, h("time", { class: "num muted", datetime: at }, at.slice(11, 19)), ` ${text}`));
    if (more) lines.unshift(h("li", { class: "muted" }, t("map.more", { n: more })));
    this.#list.prepend(...lines.reverse());
    while (this.#list.children.length > KEPT) this.#list.lastElementChild?.remove();
    const last = items.at(-1);
    if (last) this.#last.replaceChildren(h("time", { class: "num muted", datetime: last.at }, last.at.slice(11, 19)), ` ${last.text}`);
    for (const part of new Set(items.flatMap(({ component }) => partsOf(component)))) this.#light(part);
  }

  #light(part: string): void {
    const element = this.#parts.get(part);
    if (!element) return;
    element.classList.add("is-lit");
    window.clearTimeout(this.#lit.get(part));
    this.#lit.set(part, window.setTimeout(() => element.classList.remove("is-lit"), LIT_MS));
  }
}

/** Whoever writes does it through the API server, which keeps it in etcd. */
function partsOf(component: string): string[] {
  return ["kube-apiserver", "etcd", ...Object.keys(PARTS).filter((part) => PARTS[part]?.(component))];
}
