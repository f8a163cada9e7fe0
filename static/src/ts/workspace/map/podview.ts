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

/** A list of Pod buttons. One of them takes Tab, the arrow keys go on from there. */
export class PodGroup {
  readonly list = h("ul", { class: "pods" });
  readonly #buttons = new Map<string, HTMLButtonElement>();

  constructor(
    label: string,
    readonly choose: (uid: string) => void,
  ) {
    this.list.setAttribute("aria-label", label);
    this.list.addEventListener("keydown", (event) => this.#move(event));
  }

  update(pods: Pod[], { uid, related, called }: Choice): void {
    const wanted = new Set(pods.map((pod) => pod.metadata.uid));
    for (const [uid, button] of this.#buttons) {
      if (!wanted.has(uid)) {
        button.parentElement?.remove();
        this.#buttons.delete(uid);
      }
    }
    let previous: Element | null = null;
    for (const pod of pods) {
      const button = this.#button(pod);
      const item = button.parentElement as HTMLElement;
      const place: Element | null = previous ? previous.nextElementSibling : this.list.firstElementChild;
      if (place !== item) this.list.insertBefore(item, place);
      previous = item;
      const pressed = String(pod.metadata.uid === uid);
      if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
      button.classList.toggle("is-related", related.has(pod.metadata.uid));
      button.classList.toggle("is-called", called.has(pod.metadata.uid));
      button.setAttribute("aria-description", called.get(pod.metadata.uid) ?? "");
    }
    this.#rove();
  }

  #button(pod: Pod): HTMLButtonElement {
    const { uid, name, namespace, resourceVersion } = pod.metadata;
    let button = this.#buttons.get(uid);
    if (!button) {
      button = h("button", { type: "button", class: "pod", tabindex: -1, "aria-pressed": "false" });
      button.append(h("span", { class: "pod-mark", "aria-hidden": "true" }), h("span", { class: "pod-name", "aria-hidden": "true" }, name));
      button.addEventListener("click", () => this.choose(uid));
      h("li", {}, button);
      this.#buttons.set(uid, button);
    }
    if (button.dataset.version !== resourceVersion) {
      const status = statusOf(pod);
      button.dataset.version = resourceVersion;
      button.dataset.look = lookOf(pod, status);
      button.title = `${name} · ${status}`;
      button.setAttribute(
        "aria-label",
        t("map.pod", { name, namespace: namespace ?? "", status, ready: readyCount(pod), restarts: restarts(pod) }),
      );
    }
    return button;
  }

  #rove(): void {
    const buttons = [...this.list.querySelectorAll<HTMLButtonElement>(".pod")];
    if (buttons.length && !buttons.some((button) => button.tabIndex === 0)) (buttons[0] as HTMLButtonElement).tabIndex = 0;
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
    (buttons[here] as HTMLButtonElement).tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}
