// Say what comes next before stepping to it: one chooses of what may come, steps, and sees what came and why.
import { h, icon } from "../lib/dom";
import { t } from "../lib/i18n";

export interface Choice {
  id: string;
  text: string;
}

interface Asked {
  /** What may come next; undefined: it cannot be told now. */
  choices: () => Promise<Choice[] | undefined>;
  /** Step, with that in mind: the id of what came; undefined: no step was taken. */
  step: (guess: string) => Promise<string | undefined>;
}

export class Prediction {
  readonly #legend = h("legend", {}, t("predict.legend"));
  readonly #choices = h("fieldset", {}, this.#legend);
  readonly #go = h("button", { type: "submit", class: "button button-small" });
  readonly form = h("form", { id: "clock-guess", class: "clock-guess", hidden: true }, this.#choices, this.#go);
  /** Opens and closes it. */
  readonly button = h("button", { class: "bar-button", type: "button", title: t("predict.open_title"), "aria-expanded": "false", "aria-controls": "clock-guess", onclick: () => void this.#toggle() }, icon("predict"), h("span", { class: "bar-label" }, t("predict.open")));
  #seen = false;

  constructor(readonly asked: Asked) {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void (this.#seen ? this.#next() : this.#step());
    });
  }

  /** Only while time stands. */
  offer(stands: boolean): void {
    this.button.hidden = !stands;
    if (!stands) this.#close();
  }

  /** Something else was done: what was offered may not come any more. */
  async renew(): Promise<void> {
    if (!this.form.hidden) await this.#load();
  }

  async #toggle(): Promise<void> {
    if (this.form.hidden) await this.#next();
    else this.#close();
  }

  #close(): void {
    this.form.hidden = true;
    this.button.ariaExpanded = "false";
  }

  async #next(): Promise<void> {
    if (await this.#load()) this.#choices.querySelector("input")?.focus();
  }

  async #load(): Promise<boolean> {
    const choices = await this.asked.choices();
    if (choices === undefined) return false;
    this.#seen = false;
    this.#go.textContent = t("predict.step");
    this.#choices.disabled = false;
    this.#choices.replaceChildren(
      this.#legend,
      ...choices.map(({ id, text }) => h("label", {}, h("input", { type: "radio", name: "guess", value: id, required: true }), h("span", {}, text))),
    );
    this.form.hidden = false;
    this.button.ariaExpanded = "true";
    return true;
  }

  async #step(): Promise<void> {
    const guess = String(new FormData(this.form).get("guess"));
    const came = await this.asked.step(guess);
    if (came === undefined) return;
    this.#seen = true;
    this.#go.textContent = t("predict.next");
    this.#choices.disabled = true;
    for (const input of this.#choices.querySelectorAll("input")) {
      const mark = input.value === came ? "came" : input.value === guess ? "yours" : undefined;
      if (mark === undefined) continue;
      const label = input.parentElement as HTMLElement;
      label.dataset.mark = mark;
      label.append(h("span", { class: "badge" }, t(`predict.${mark}`)));
    }
    this.#go.focus();
  }
}
