// <dd-branches>: the ways that the run went. Each can be gone back to, renamed and deleted; what was done last can be
// undone, which is a branch, too. A change takes the run to another host: the tab's socket tells when it is up again.
import { h } from "../lib/dom";
import { request, RequestError } from "../lib/http";
import { t } from "../lib/i18n";
import { confirm } from "./dialog";
import { page } from "./page";

interface Branch {
  number: number;
  name: string;
  present: boolean;
  at: string;
  kept_bytes: number;
}

class BranchesElement extends HTMLElement {
  readonly #said = h("p", { class: "past-said", role: "status", "aria-live": "polite" });
  readonly #list = h("ul", { class: "past-since past-branches" });
  readonly #count = h("summary", {});
  readonly #details = h("details", { class: "past-details", hidden: true }, this.#count, this.#list);

  connectedCallback(): void {
    const undo = h("button", { class: "bar-button", type: "button", onclick: () => void this.go({ action: "undo" }) }, t("branches.undo"));
    this.append(undo, this.#said, this.#details);
  }

  async load(): Promise<void> {
    await this.#change("GET");
  }

  /** Make another branch the present one. */
  async go(wanted: Record<string, string | number>): Promise<void> {
    try {
      const { name } = await request<{ name: string }>("POST", `${page.base}branches/`, wanted);
      this.#said.textContent = t("branches.gone", { name });
      await this.load();
    } catch (error) {
      this.#refused(error);
    }
  }

  async #change(method: "GET" | "PUT" | "DELETE", data?: Record<string, string | number>): Promise<void> {
    try {
      const { branches } = await request<{ branches: Branch[] }>(method, `${page.base}branches/`, data);
      this.#details.hidden = branches.length === 0;
      this.#count.textContent = t("branches.count", { n: branches.length });
      this.#list.replaceChildren(...branches.map((branch) => this.#line(branch)));
    } catch (error) {
      this.#refused(error);
    }
  }

  #line({ number, name, present, at, kept_bytes }: Branch): HTMLElement {
    const size = t("branches.size", { n: Math.ceil(kept_bytes / 1000) });
    const field = h("input", {
      class: "past-branch",
      value: name,
      maxlength: 60,
      "aria-label": t("branches.name", { name }),
      onchange: (event) => void this.#change("PUT", { number, name: (event.target as HTMLInputElement).value }),
    });
    const go = h("button", { class: "bar-button", type: "button", "aria-label": t("branches.go_to", { name }), onclick: () => void this.go({ action: "switch", number }) }, t("branches.go"));
    const gone = h("button", { class: "bar-button", type: "button", "aria-label": t("branches.delete_it", { name }), onclick: () => void this.#delete(number, name) }, t("branches.delete"));
    const where = h("span", { class: "muted num" }, [at && at.slice(11, 19), size].filter(Boolean).join(" · "));
    return h("li", present ? { "aria-current": "true" } : {}, field, where, ...(present ? [h("strong", {}, t("branches.present"))] : [go, gone]));
  }

  async #delete(number: number, name: string): Promise<void> {
    if (await confirm(t("branches.delete_it", { name }), t("branches.delete_text"), t("branches.delete"))) await this.#change("DELETE", { number });
  }

  #refused(error: unknown): void {
    if (!(error instanceof RequestError)) throw error;
    this.#said.textContent = error.message;
  }
}

customElements.define("dd-branches", BranchesElement);

declare global {
  interface HTMLElementTagNameMap {
    "dd-branches": BranchesElement;
  }
}
