// <dd-clock>: the cluster's own time. It can stand still, go slower or faster, step to what happens next, and go on to a
// moment; what happened, and why, is told in a sentence.
import { h, icon } from "../lib/dom";
import { request, RequestError } from "../lib/http";
import { t } from "../lib/i18n";
import { leapDialog, type Leap } from "./leap";
import { emit, on, page, type ClockState } from "./page";
import { Prediction, type Choice } from "./predict";

const TICK_MS = 250;

type Act = { action: "pause" | "resume" | "predict" } | { action: "step"; guess?: string } | { action: "speed"; speed: number } | Leap;

type Answer = ClockState & { sentence: string; choices?: Choice[]; came?: string };

class ClockElement extends HTMLElement {
  #state: ClockState | undefined;
  /** Milliseconds of the cluster's time, as it was told, and of ours when it was. */
  #told = 0;
  #at = 0;
  #looking = false;
  readonly #time = h("time", { class: "num" });
  readonly #pause = h("button", { class: "bar-button", type: "button", onclick: () => void this.#act({ action: this.#stands ? "resume" : "pause" }) });
  readonly #step = h(
    "button",
    { class: "bar-button", type: "button", title: t("clock.step_title"), onclick: () => void this.#act({ action: "step" }) },
    icon("step"),
    h("span", { class: "bar-label" }, t("clock.step")),
  );
  readonly #prediction = new Prediction({
    choices: async () => (await this.#act({ action: "predict" }))?.choices,
    step: async (guess) => (await this.#act({ action: "step", guess }))?.came,
  });
  readonly #leap = leapDialog(async (leap) => (await this.#do(leap)) !== undefined);
  readonly #on = h(
    "button",
    { class: "bar-button", type: "button", title: t("leap.open_title"), "aria-haspopup": "dialog", onclick: () => this.#leap.showModal() },
    icon("skip"),
    h("span", { class: "bar-label" }, t("leap.open")),
  );
  readonly #speed = h(
    "select",
    { class: "bar-select", "aria-label": t("clock.speed"), onchange: () => void this.#act({ action: "speed", speed: Number(this.#speed.value) }) },
    ...(this.dataset.speeds ?? "1").split(" ").map((speed) => h("option", { value: speed }, `${speed}×`)),
  );
  readonly #back = h(
    "button",
    { class: "bar-button", type: "button", title: t("past.open_title"), "aria-pressed": "false", onclick: () => this.#look() },
    icon("back"),
    h("span", { class: "bar-label" }, t("past.open")),
  );
  readonly #said = h("p", { class: "clock-said", role: "status", "aria-live": "polite" });

  connectedCallback(): void {
    this.hidden = true;
    this.append(h("span", { class: "clock-label" }, t("clock.label")), this.#time, this.#pause, this.#step, this.#prediction.button, this.#on, this.#speed, this.#back, this.#said, this.#prediction.form);
    document.body.append(this.#leap);
    on("dd-clock", (state) => this.#show(state));
    on("dd-down", () => (this.hidden = true));
    on("dd-past", (past) => this.#back.setAttribute("aria-pressed", String(past !== undefined)));
    on("dd-looked", () => this.#back.focus());
    on("dd-reset", () => this.#said.replaceChildren());
    window.setInterval(() => this.#tick(), TICK_MS);
  }

  get #stands(): boolean {
    return this.#state?.speed === 0;
  }

  #show(state: ClockState): void {
    this.#state = state;
    this.#told = Date.parse(state.now);
    this.#at = performance.now();
    this.hidden = false;
    this.classList.toggle("stands", this.#stands);
    const label = this.#stands ? t("clock.resume") : t("clock.pause");
    this.#pause.title = this.#stands ? t("clock.resume_title") : t("clock.pause_title");
    this.#pause.replaceChildren(icon(this.#stands ? "play" : "pause"), h("span", { class: "bar-label" }, label));
    this.#prediction.offer(this.#stands);
    this.#speed.value = String(this.#stands ? state.resume : state.speed);
    if (state.looking) this.#said.textContent = t("past.looking", { time: state.looking.slice(11, 19) });
    else if (this.#looking) this.#said.replaceChildren();
    this.#looking = Boolean(state.looking);
    this.#tick();
  }

  #look(): void {
    emit("dd-look-back", undefined);
  }

  #tick(): void {
    if (this.#state === undefined || this.hidden) return;
    const now = this.#told + (performance.now() - this.#at) * this.#state.speed;
    this.#time.textContent = new Date(now).toISOString().slice(11, 19);
    this.#time.dateTime = new Date(now).toISOString();
  }

  /** As `#do`; what it raises is told. */
  async #act(what: Act): Promise<Answer | undefined> {
    try {
      return await this.#do(what);
    } catch (error) {
      this.#said.textContent = error instanceof RequestError ? error.message : t("http.offline");
      if ("guess" in what) void this.#prediction.renew();
      return undefined;
    }
  }

  /** The answer, if it was done: what is asked while something else is under way is not. */
  async #do(what: Act): Promise<Answer | undefined> {
    if (this.ariaBusy) return undefined;
    this.ariaBusy = "true";
    try {
      const answer = await request<Answer>("POST", `${page.base}clock/`, what);
      this.#show(answer);
      if (what.action === "predict") return answer;
      if (what.action === "step") this.#tell(answer.sentence || t("clock.nothing"), what.guess, answer.came);
      else if (what.action === "until") this.#said.textContent = answer.sentence || t("leap.holds");
      else if (this.#stands) this.#said.textContent = t("clock.stands");
      else this.#said.replaceChildren();
      if (answer.came === undefined) window.setTimeout(() => void this.#prediction.renew());
      return answer;
    } finally {
      this.ariaBusy = null;
    }
  }

  /** What came, and whether it was foreseen. */
  #tell(sentence: string, guess: string | undefined, came: string | undefined): void {
    const verdict = guess === undefined ? "" : t(guess === came ? "predict.right" : "predict.wrong");
    this.#said.textContent = `${verdict} ${sentence}`.trim();
  }
}

customElements.define("dd-clock", ClockElement);
