// <dd-checks>: asks for a grading and says, check by check, what holds and what does not.
import { h, inline, need } from "../lib/dom";
import { request, RequestError } from "../lib/http";
import { t } from "../lib/i18n";
import { emit, on, page } from "./page";

interface CheckAnswer {
  id: string;
  title: string;
  state: "passed" | "failed" | "error";
  score: number;
  max_score: number;
  message: string;
  hint: string;
}

interface Report {
  score: number;
  max_score: number;
  passed: boolean;
  checks: CheckAnswer[];
}

class ChecksElement extends HTMLElement {
  #button!: HTMLButtonElement;
  #live!: HTMLElement;
  #score!: HTMLElement;
  #done!: HTMLElement;

  connectedCallback(): void {
    this.#button = need<HTMLButtonElement>("[data-check-run]", this);
    this.#live = need("[data-check-live]", this);
    this.#score = need(".checks-score", this);
    this.#done = need(".checks-done", this);
    this.#button.addEventListener("click", () => void this.#check());
    on("dd-reset", () => this.#clear());
  }

  async #check(): Promise<void> {
    this.#button.disabled = true;
    this.classList.add("is-busy");
    this.#live.textContent = t("checks.running");
    try {
      this.#show(await request<Report>("POST", `${page.base}check/`));
    } catch (error) {
      this.#say(error instanceof RequestError ? error.message : t("http.offline"));
    } finally {
      this.#button.disabled = false;
      this.classList.remove("is-busy");
    }
  }

  #say(sentence: string): void {
    this.#live.textContent = sentence;
    this.querySelector(".checks-error")?.remove();
    need(".checks-head", this).after(h("p", { class: "checks-error notice notice-error" }, sentence));
  }

  #show(report: Report): void {
    this.querySelector(".checks-error")?.remove();
    for (const check of report.checks) {
      const row = this.querySelector<HTMLElement>(`[data-check="${CSS.escape(check.id)}"]`);
      if (row) this.#row(row, check);
    }
    const passed = report.checks.filter((check) => check.state === "passed").length;
    this.#score.textContent = t("checks.score", { score: report.score, max: report.max_score });
    this.#live.textContent = t("checks.summary", { passed, total: report.checks.length });
    this.#done.hidden = !report.passed;
    this.classList.toggle("is-done", report.passed);
    if (report.passed) emit("dd-state", { state: "passed", message: "" });
    else this.querySelector('.check[data-state="failed"], .check[data-state="error"]')?.scrollIntoView({ block: "nearest" });
  }

  #row(row: HTMLElement, check: CheckAnswer): void {
    row.dataset.state = check.state;
    need(".check-state", row).textContent = t(`checks.${check.state}`);
    const body = need(".check-body", row);
    body.querySelectorAll(".check-message, details").forEach((old) => old.remove());
    if (check.state === "passed") return;
    if (check.message) body.append(h("p", { class: "check-message" }, ...inline(check.message)));
    if (check.hint) {
      body.append(h("details", {}, h("summary", {}, t("checks.hint")), h("p", {}, ...inline(check.hint))));
    }
  }

  #clear(): void {
    this.#done.hidden = true;
    this.classList.remove("is-done");
    this.#score.textContent = "";
    for (const row of this.querySelectorAll<HTMLElement>(".check")) {
      delete row.dataset.state;
      row.querySelectorAll(".check-message, details").forEach((old) => old.remove());
      need(".check-state", row).textContent = t("checks.none");
    }
  }
}

customElements.define("dd-checks", ChecksElement);
