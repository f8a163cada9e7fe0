// <dd-guide>: the instructions, a step at a time, with the checks of each step.
//
// The host grades by itself while this tab follows (channel "checks"); the button asks at once. What was found last is
// state of the run: the page brings it along, so it survives a reload and a change of language.
import { decorate } from "../lib/code";
import { h, icon, inline, need } from "../lib/dom";
import { request, RequestError } from "../lib/http";
import { t } from "../lib/i18n";
import { fillAppeal, hintOf, type Sent } from "./hints";
import { emit, on, page } from "./page";
import { socket } from "./socket";

type State = "passed" | "failed" | "pending" | "error";

interface CheckAnswer {
  id: string;
  state: State;
  score: number;
  max_score: number;
  message: string;
  look?: string;
}

interface Report {
  score: number;
  max_score: number;
  passed: boolean;
  at?: string;
  /** Whether a check was ever asked for: until then what is missing is not called wrong. */
  asked?: boolean;
  checks: CheckAnswer[];
}

interface Ways {
  branches: { number: number; name: string; present: boolean; left: number | null }[];
  steps: { step: string }[];
}

const AFTER = "after";
const TIME = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "short" });

class GuideElement extends HTMLElement {
  readonly #place = `dd-step-${page.run}`;
  #steps: HTMLElement[] = [];
  #button!: HTMLButtonElement;
  #live!: HTMLElement;
  #current = "";
  #failing = "";
  #passed = page.state === "passed";
  #appealed: Record<string, Sent> = {};
  #shown = false;

  /** To which step one goes when the run is there again. */
  #wanted = "";

  connectedCallback(): void {
    this.#steps = [...this.querySelectorAll<HTMLElement>(".step:not(.after)")];
    this.#button = need<HTMLButtonElement>("[data-check-run]", this);
    this.#live = need("[data-check-live]", this);
    this.#button.addEventListener("click", () => void this.#check());
    for (const button of this.querySelectorAll<HTMLElement>("[data-to]")) {
      button.addEventListener("click", () => this.#go(button.dataset.to ?? ""));
    }
    for (const button of this.querySelectorAll<HTMLElement>("[data-go]")) {
      button.addEventListener("click", () => this.#go(this.#beside(Number(button.dataset.go))));
    }
    for (const button of this.querySelectorAll<HTMLElement>("[data-restart]")) {
      button.addEventListener("click", () => void this.#restart(button.dataset.restart ?? ""));
    }
    this.addEventListener("click", (event) => {
      const asked = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-cause]") : null;
      if (!asked) return;
      const { cause = "", namespace = "", name = "" } = asked.dataset;
      emit("dd-why", { resource: cause, namespace, name });
    });
    this.addEventListener("toggle", (event) => void showWritten(event.target), true);
    this.#appealed = JSON.parse(need("#appealed").textContent ?? "{}") as Record<string, Sent>;
    const standing = JSON.parse(need("#standing").textContent ?? "null") as Report | null;
    if (standing) this.#show(standing);
    this.#afterwards();
    this.#go(sessionStorage.getItem(this.#place) ?? this.#firstOpen(), false);
    on("dd-reset", () => this.#clear());
    on("dd-branch", () => this.#clear());
    socket.follow("checks", {
      opened: () => socket.send({ ch: "checks", type: "follow", on: true, language: document.documentElement.lang }),
      message: (message) => {
        if (message.type === "checking") this.classList.toggle("is-busy", message.on === true);
        else if (message.type === "report") this.#show(message as unknown as Report);
      },
    });
  }

  override focus(): void {
    need("[data-text]", this).focus();
  }

  // -- steps -----------------------------------------------------------------------------------------

  #ids(): string[] {
    return [...this.#steps.map((step) => step.dataset.step ?? ""), ...(this.#passed ? [AFTER] : [])];
  }

  #beside(way: number): string {
    const ids = this.#ids();
    return ids[ids.indexOf(this.#current) + way] ?? this.#current;
  }

  /** The first step that has something to do. */
  #firstOpen(): string {
    if (this.#passed) return AFTER;
    const open = this.#steps.find((step) => step.querySelector(".check") && !isDone(step));
    // Steps without checks before it are read first, unless something was checked before.
    return (this.querySelector(".check[data-state]") ? open : this.#steps[0])?.dataset.step ?? "";
  }

  #go(id: string, byHand = true): void {
    if (!this.#ids().includes(id)) id = this.#steps[0]?.dataset.step ?? "";
    this.#current = id;
    if (byHand) sessionStorage.setItem(this.#place, id);
    for (const step of this.querySelectorAll<HTMLElement>(".step")) step.hidden = step.dataset.step !== id;
    for (const button of this.querySelectorAll<HTMLElement>("[data-to]")) {
      if (button.dataset.to === id) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    }
    const number = this.#steps.findIndex((step) => step.dataset.step === id) + 1;
    need("[data-place]", this).textContent = number ? t("guide.step", { number, total: this.#steps.length }) : t("guide.after");
    if (!byHand) return;
    const text = need("[data-text]", this);
    text.scrollTop = 0;
    text.focus({ preventScroll: true });
  }

  /** The cluster goes back to where the step began; what there was until now is kept as a branch. */
  async #restart(id: string): Promise<void> {
    try {
      this.#wanted = id;
      await request("POST", `${page.base}branches/`, { action: "step", step: id });
      const kept = await this.#offerRestarts();
      this.#live.textContent = t("guide.restarted", { name: kept });
    } catch (error) {
      this.#wanted = "";
      this.#say(error instanceof RequestError ? error.message : t("http.offline"));
    }
  }

  /** One can go back to each step that has begun. Returns the name of the branch that was left last. */
  async #offerRestarts(): Promise<string> {
    const { branches, steps } = await request<Ways>("GET", `${page.base}branches/`).catch(() => ({ branches: [], steps: [] }));
    const begun = new Set(steps.map((each) => each.step));
    for (const button of this.querySelectorAll<HTMLElement>("[data-restart]")) button.hidden = !begun.has(button.dataset.restart ?? "");
    const left = branches.find((branch) => branch.present)?.left;
    return branches.find((branch) => branch.number === left)?.name ?? "";
  }

  #mark(): void {
    for (const step of this.#steps) {
      const button = this.querySelector<HTMLElement>(`[data-to="${CSS.escape(step.dataset.step ?? "")}"]`);
      const done = step.querySelector(".check") !== null && isDone(step);
      if (button) {
        button.classList.toggle("is-done", done);
        need("[data-step-state]", button).textContent = done ? `, ${t("checks.passed")}` : "";
      }
      step.querySelector('[data-go="1"]')?.classList.toggle("button-main", done);
    }
  }

  // -- checks ----------------------------------------------------------------------------------------

  async #check(): Promise<void> {
    this.#button.disabled = true;
    this.classList.add("is-busy");
    this.#live.textContent = t("checks.running");
    try {
      const report = await request<Report>("POST", `${page.base}check/`);
      this.#show(report);
      const passed = report.checks.filter((check) => check.state === "passed").length;
      this.#live.textContent = t("checks.summary", { passed, total: report.checks.length });
      const wrong = report.checks.find((check) => check.state === "failed" || check.state === "error");
      if (wrong && !report.passed) this.#reveal(wrong.id);
    } catch (error) {
      this.#say(error instanceof RequestError ? error.message : t("http.offline"));
    } finally {
      this.#button.disabled = false;
      this.classList.remove("is-busy");
    }
  }

  /** Who asked sees what is wrong first, in whichever step it is. */
  #reveal(id: string): void {
    const row = this.#rowOf(id);
    const step = row?.closest<HTMLElement>(".step")?.dataset.step;
    if (!row || !step) return;
    if (step !== this.#current) this.#go(step);
    need<HTMLDetailsElement>("details", row).open = true;
    row.scrollIntoView({ block: "nearest" });
  }

  #rowOf(id: string): HTMLElement | null {
    return this.querySelector<HTMLElement>(`[data-check="${CSS.escape(id)}"]`);
  }

  #say(sentence: string): void {
    this.#live.textContent = sentence;
    this.querySelector(".checks-error")?.remove();
    need(".guide-foot", this).before(h("p", { class: "checks-error notice notice-error" }, sentence));
  }

  #show(report: Report): void {
    this.querySelector(".checks-error")?.remove();
    const before = new Set(this.#steps.filter(isDone));
    for (const check of report.checks) {
      const row = this.#rowOf(check.id);
      if (row) draw(row, check);
      if (row) this.#offerAppeal(row, check, report.asked === true);
    }
    this.classList.toggle("is-asked", report.asked === true);
    if (report.asked) this.#unfold(report);
    this.#mark();
    need("[data-score]", this).textContent = t("checks.score", { score: report.score, max: report.max_score });
    if (report.at) need("[data-at]", this).textContent = t("checks.at", { time: TIME.format(new Date(report.at)) });
    if (this.#steps.some((step) => isDone(step) !== before.has(step)) || !this.#shown) void this.#offerRestarts();
    this.#shown = true;
    const done = this.#steps.find((step) => step.dataset.step === this.#current);
    if (done && done.querySelector(".check") && isDone(done) && !before.has(done)) this.#live.textContent = t("guide.done");
    if (report.passed && !this.#passed) {
      this.#passed = true;
      emit("dd-state", { state: "passed", message: "" });
      void this.#fetchAfter();
    }
  }

  /** What was asked for and fails may be called right. It stays as it is while somebody writes. */
  #offerAppeal(row: HTMLElement, check: CheckAnswer, asked: boolean): void {
    const place = need(".check-appeal", row);
    if (!place.hasChildNodes()) fillAppeal(place, check.id, this.#appealed[check.id]);
    place.hidden = !asked || (check.state !== "failed" && check.state !== "error");
  }

  /** The first failure of each step is unfolded when it is a new one; what the reader opened or closed stays so. */
  #unfold(report: Report): void {
    const first = report.checks.find((check) => check.state === "failed" || check.state === "error")?.id ?? "";
    if (first === this.#failing) return;
    this.#failing = first;
    for (const row of this.querySelectorAll<HTMLElement>(".check")) {
      need<HTMLDetailsElement>("details", row).open = row.dataset.check === first;
    }
  }

  #clear(): void {
    this.#passed = false;
    this.#failing = "";
    this.classList.remove("is-asked");
    sessionStorage.removeItem(this.#place);
    for (const row of this.querySelectorAll<HTMLElement>(".check")) {
      delete row.dataset.state;
      need(".check-why", row).replaceChildren();
      need(".check-appeal", row).hidden = true;
      need<HTMLDetailsElement>("details", row).open = false;
      need(".check-state", row).textContent = t("checks.none");
    }
    for (const field of this.querySelectorAll("[data-score], [data-at]")) field.textContent = "";
    need("[data-after]", this).replaceChildren();
    this.#mark();
    this.#afterwards();
    this.#go(this.#wanted || this.#firstOpen(), false);
    this.#wanted = "";
    void this.#offerRestarts();
  }

  // -- after a pass ----------------------------------------------------------------------------------

  async #fetchAfter(): Promise<void> {
    const response = await fetch(document.body.dataset.after ?? "", { credentials: "same-origin" });
    if (!response.ok) return;
    const panel = need("[data-after]", this);
    panel.innerHTML = await response.text();
    decorate(panel, false);
    this.#afterwards();
    this.#go(AFTER);
  }

  #afterwards(): void {
    need(`[data-to="${AFTER}"]`, this).hidden = !this.#passed;
  }
}

/** One's own manifests come beside the model when it is opened. */
async function showWritten(opened: EventTarget | null): Promise<void> {
  if (!(opened instanceof HTMLDetailsElement) || !opened.open || !opened.dataset.written) return;
  const place = need(".code-yaml code", opened);
  place.textContent = t("why.loading");
  try {
    place.textContent = (await request<{ manifests: string }>("GET", opened.dataset.written)).manifests;
  } catch (error) {
    place.textContent = error instanceof RequestError ? error.message : t("http.offline");
  }
}

function isDone(step: HTMLElement): boolean {
  return [...step.querySelectorAll<HTMLElement>(".check")].every((row) => row.dataset.state === "passed");
}

function draw(row: HTMLElement, check: CheckAnswer): void {
  row.dataset.state = check.state;
  need(".check-state", row).textContent = t(`checks.${check.state}`);
  const why = need(".check-why", row);
  const version = JSON.stringify(check);
  if (why.dataset.version === version) return;
  why.dataset.version = version;
  why.replaceChildren();
  if (check.state === "passed") return;
  if (check.message) why.append(h("p", { class: "check-message" }, ...inline(check.message)));
  const { look } = check;
  if (look) {
    why.append(
      h("p", {}, h("button", { type: "button", class: "button button-small", onclick: () => emit("dd-run", { command: look }) }, icon("play"), t("checks.look"))),
    );
  }
  why.append(hintOf(check.id));
}

customElements.define("dd-guide", GuideElement);
