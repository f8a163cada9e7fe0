// <dd-status>: the run's state. Polls while the cluster boots; once it is up, the tab's socket tells. Tells the other
// parts when the cluster is up or gone, and covers the panes that need it while it is not there.
import { h, icon, need } from "../lib/dom";
import { request, RequestError } from "../lib/http";
import { t } from "../lib/i18n";
import { confirm } from "./dialog";
import { emit, isOver, isUp, on, page, type RunState } from "./page";

const BOOT_POLL = 600;

interface StateAnswer {
  state: RunState;
  message: string;
}

class StatusElement extends HTMLElement {
  #state: RunState | undefined;
  #wasUp = false;
  #fresh = false;
  #timer = 0;
  readonly #label = h("span", { role: "status", "aria-live": "polite" });
  readonly #pace = h("span", { class: "pace num", role: "status", hidden: true });
  readonly #cover = h("div", { class: "cover" });

  connectedCallback(): void {
    this.append(h("span", { class: "dot", "aria-hidden": "true" }), this.#label, this.#pace);
    on("dd-pace", ({ pace }) => {
      this.#pace.hidden = pace >= 1;
      this.#pace.textContent = t("state.pace", { pace });
      this.#pace.title = t("state.pace_title", { pace });
    });
    need(".ws-right").append(this.#cover);
    need('[data-action="reset"]').addEventListener("click", () => void this.#reset());
    need('[data-action="stop"]').addEventListener("click", () => void this.#stop());
    on("dd-state", ({ state, message }) => this.#enter(state, message));
    this.#enter(page.state, page.message);
  }

  #enter(state: RunState, message: string): void {
    const changed = state !== this.#state;
    this.#state = state;
    this.dataset.state = state;
    if (changed) {
      this.#label.textContent = t(`state.${state}`);
      for (const button of document.querySelectorAll<HTMLButtonElement>('[data-action="stop"], [data-check-run]')) {
        button.disabled = !isUp(state);
      }
      need<HTMLButtonElement>('[data-action="reset"]').disabled = state === "stopped";
    }
    if (isUp(state) && !this.#wasUp) {
      this.#wasUp = true;
      emit("dd-up", { fresh: this.#fresh });
      this.#fresh = false;
    } else if (!isUp(state) && this.#wasUp) {
      this.#wasUp = false;
      emit("dd-down", undefined);
    }
    if (changed || isOver(state)) this.#drawCover(state, message);
    window.clearTimeout(this.#timer);
    if (!isOver(state) && !isUp(state)) this.#timer = window.setTimeout(() => void this.#poll(), BOOT_POLL);
  }

  #drawCover(state: RunState, message: string): void {
    this.#cover.hidden = isUp(state);
    if (isUp(state)) return;
    if (!isOver(state)) {
      this.#cover.replaceChildren(
        h("div", { class: "basin", "aria-hidden": "true" }, h("div", { class: "basin-water" })),
        h("p", { class: "cover-title" }, t(`cover.${state}`)),
      );
      return;
    }
    const again = h("a", { class: "button button-main", href: page.lab }, t("cover.again"));
    const reset = h("button", { class: "button button-main", type: "button", onclick: () => void this.#request("reset") }, t("reset.do"));
    this.#cover.replaceChildren(
      icon(state === "failed" ? "warning" : "check"),
      h("p", { class: "cover-title" }, t(`cover.${state}`)),
      message && h("p", { class: "cover-text" }, message),
      state === "failed" ? reset : again,
    );
  }

  async #poll(): Promise<void> {
    try {
      const answer = await request<StateAnswer>("GET", `${page.base}state/`);
      this.#enter(answer.state, answer.message);
    } catch {
      window.clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => void this.#poll(), 3000);
    }
  }

  async #reset(): Promise<void> {
    if (await confirm(t("reset.title"), t("reset.text"), t("reset.do"))) await this.#request("reset");
  }

  async #stop(): Promise<void> {
    if (await confirm(t("stop.title"), t("stop.text"), t("stop.do"))) await this.#request("stop");
  }

  async #request(what: "reset" | "stop"): Promise<void> {
    try {
      const answer = await request<StateAnswer>("POST", `${page.base}${what}/`);
      if (what === "reset") {
        this.#fresh = true;
        emit("dd-reset", undefined);
        this.#state = undefined;
      }
      this.#enter(answer.state, "");
    } catch (error) {
      this.#label.textContent = error instanceof RequestError ? error.message : t("http.offline");
    }
  }
}

customElements.define("dd-status", StatusElement);
