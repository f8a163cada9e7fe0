// One Pod as a button, and groups of them updated in place: with hundreds of Pods, only what changed is touched.
import { h } from "../../lib/dom";
import { t } from "../../lib/i18n";
import { lookOf, readyCount, restarts, statusOf, type Pod } from "./objects";

/** What was chosen on the map, and the Pods that it has to do with. */
export interface Choice {
  uid: string | undefined;
  related: ReadonlySet<string>;
  /** Pods that were called lately: how often. */
  called: ReadonlyMap<string, string>;
}

/** A Pod's button, and what it shows: of which version of the Pod, and of what was chosen and is called. */
interface Shown {
  button: HTMLButtonElement;
  item: HTMLElement;
  version: string;
  state: string;
}

/** A list of Pod buttons. One of them takes Tab, the arrow keys go on from there. */
export class PodGroup {
  readonly list = h("ul", { class: "pods" });
  readonly #shown = new Map<string, Shown>();
  #stop: HTMLButtonElement | undefined;

  constructor(
    label: string,
    readonly choose: (uid: string) => void,
  ) {
    this.list.setAttribute("aria-label", label);
    this.list.addEventListener("keydown", (event) => this.#move(event));
  }

  update(pods: Pod[], { uid, related, called }: Choice): void {
    const wanted = new Set(pods.map((pod) => pod.metadata.uid));
    for (const [uid, { item }] of this.#shown) {
      if (!wanted.has(uid)) {
        item.remove();
        this.#shown.delete(uid);
      }
    }
    let place = this.list.firstElementChild;
    for (const pod of pods) {
      const shown = this.#show(pod);
      const { item, button } = shown;
      if (item === place) place = item.nextElementSibling;
      else this.list.insertBefore(item, place);
      const own = pod.metadata.uid;
      const calls = called.get(own) ?? "";
      const state = `${own === uid} ${related.has(own)} ${calls}`;
      if (shown.state === state) continue;
      shown.state = state;
      button.setAttribute("aria-pressed", String(own === uid));
      button.classList.toggle("is-related", related.has(own));
      button.classList.toggle("is-called", calls !== "");
      button.setAttribute("aria-description", calls);
    }
    this.#rove();
  }

  #show(pod: Pod): Shown {
    const { uid, name, namespace, resourceVersion } = pod.metadata;
    let shown = this.#shown.get(uid);
    if (!shown) {
      const button = h("button", { type: "button", class: "pod", tabindex: -1, "aria-pressed": "false" });
      button.append(h("span", { class: "pod-mark", "aria-hidden": "true" }), h("span", { class: "pod-name", "aria-hidden": "true" }, name));
      button.addEventListener("click", () => this.choose(uid));
      shown = { button, item: h("li", {}, button), version: "", state: "" };
      this.#shown.set(uid, shown);
    }
    if (shown.version !== resourceVersion) {
      const { button } = shown;
      const status = statusOf(pod);
      shown.version = resourceVersion;
      button.dataset.look = lookOf(pod);
      button.title = `${name} · ${status}`;
      button.setAttribute(
        "aria-label",
        t("map.pod", { name, namespace: namespace ?? "", status, ready: readyCount(pod), restarts: restarts(pod) }),
      );
    }
    return shown;
  }

  /** One takes Tab: the first, when that which took it is gone. */
  #rove(): void {
    if (this.#stop?.isConnected) return;
    this.#stop = this.list.querySelector<HTMLButtonElement>(".pod") ?? undefined;
    if (this.#stop) this.#stop.tabIndex = 0;
  }

  #move(event: KeyboardEvent): void {
    const buttons = [...this.list.querySelectorAll<HTMLButtonElement>(".pod")];
    const here = buttons.indexOf(document.activeElement as HTMLButtonElement);
    if (here < 0) return;
    const targets: Record<string, number> = {
      ArrowRight: here + 1,
      ArrowDown: here + 1,
      ArrowLeft: here - 1,
      ArrowUp: here - 1,
      Home: 0,
      End: buttons.length - 1,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    const next = buttons[Math.min(buttons.length - 1, Math.max(0, target))];
    if (!next) return;
    if (this.#stop) this.#stop.tabIndex = -1;
    next.tabIndex = 0;
    this.#stop = next;
    next.focus();
  }
}
