// <dd-past>: the cluster as it was. A slider over the run's time, what came from outside as places to stop at, and
// what was different then, or at another moment that was marked. While it is open the map shows that moment; nothing
// can be changed in it.
import { h, icon } from "../lib/dom";
import { request, RequestError } from "../lib/http";
import { t } from "../lib/i18n";
import "./branches";
import { emit, on, page, type ClockState, type PastObjects } from "./page";

interface Mark {
  at: string;
  revision: number;
  text: string;
}

interface Span {
  begin: string;
  now: string;
  marks: Mark[];
}

interface Moment {
  at: string;
  objects: PastObjects;
  hidden: number;
  against: string;
  since: Change[];
  more: number;
}

interface Change {
  what: string;
  text: string;
  changed: { path: string; before: string; after: string }[];
  last: string;
}

/** Fields that a change's text tells already. */
const TOLD = 3;

const SETTLE_MS = 120;

class PastElement extends HTMLElement {
  #span: Span | undefined;
  /** The mark that is looked at, or -1: a time between. */
  #mark = -1;
  #timer = 0;
  #asking = new AbortController();
  /** The moment that is shown, and how it was asked for. */
  #at = "";
  #shown: Record<string, string> = {};
  /** How the marked moment was asked for, that others are compared with. */
  #marked: Record<string, string> | undefined;
  readonly #slider = h("input", { type: "range", id: "past-slider", min: 0, max: 1, step: 1, value: 1, oninput: () => this.#slide() });
  readonly #time = h("time", { class: "num" });
  readonly #said = h("p", { class: "past-said", role: "status", "aria-live": "polite" });
  readonly #since = h("ul", { class: "past-since" });
  readonly #count = h("summary", {});
  readonly #details = h("details", { class: "past-details" }, this.#count, this.#since);
  readonly #earlier = h("button", { class: "bar-button", type: "button", onclick: () => this.#hop(-1) }, t("past.earlier"));
  readonly #terminals = h("button", { class: "bar-button", type: "button", "aria-pressed": "false", title: t("past.terminals_title"), onclick: () => void this.#turn(!this.#together) }, t("past.terminals"));
  readonly #compare = h("button", { class: "bar-button", type: "button", "aria-pressed": "false", title: t("past.compare_title"), onclick: () => this.#pin() }, t("past.compare"));
  readonly #branches = document.createElement("dd-branches");
  readonly #from = h("button", { class: "bar-button", type: "button", title: t("branches.from_title"), onclick: () => void this.#branches.go({ action: "branch", ...this.#shown }) }, t("branches.from"));
  readonly #later = h("button", { class: "bar-button", type: "button", onclick: () => this.#hop(1) }, t("past.later"));

  connectedCallback(): void {
    this.hidden = true;
    this.append(
      h("label", { class: "clock-label", for: "past-slider" }, t("past.label")),
      this.#time,
      this.#slider,
      this.#earlier,
      this.#later,
      this.#compare,
      this.#terminals,
      this.#from,
      h("button", { class: "bar-button", type: "button", onclick: () => this.#close() }, icon("cross"), t("past.now")),
      this.#said,
      this.#details,
      this.#branches,
    );
    on("dd-look-back", () => void this.#open());
    on("dd-clock", ({ looking }) => this.#terminals.setAttribute("aria-pressed", String(looking !== "")));
    on("dd-down", () => this.#close());
    on("dd-reset", () => this.#close());
    on("dd-branch", () => this.#close());
    this.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#close();
    });
  }

  async #open(): Promise<void> {
    if (!this.hidden) return this.#close();
    try {
      [this.#span] = await Promise.all([request<Span>("GET", `${page.base}past/`), this.#branches.load()]);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.#said.textContent = error.message;
      return;
    }
    this.hidden = false;
    const { begin, now, marks } = this.#span;
    this.#slider.max = String(Math.max(1, Math.ceil((Date.parse(now) - Date.parse(begin)) / 1000)));
    this.#slider.value = this.#slider.max;
    emit("dd-show", { view: "map" });
    this.#slider.focus();
    this.#mark = marks.length;
    if (marks.length) this.#hop(-1);
    else this.#slide();
  }

  #close(): void {
    if (this.hidden) return;
    this.hidden = true;
    this.#asking.abort();
    this.ariaBusy = null;
    window.clearTimeout(this.#timer);
    this.#unpin();
    if (this.#together) void this.#turn(false);
    emit("dd-past", undefined);
    emit("dd-looked", undefined);
  }

  /** Whether the terminals look at the moment, too. */
  get #together(): boolean {
    return this.#terminals.getAttribute("aria-pressed") === "true";
  }

  async #turn(back: boolean): Promise<void> {
    if (back && !this.#at) return;
    try {
      emit("dd-clock", await request<ClockState>("POST", `${page.base}clock/`, back ? { action: "back", at: this.#at } : { action: "return" }));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.#said.textContent = error.message;
    }
  }

  /** Mark the moment that is shown: what changed between it and where one looks next is told, until it is pressed again. */
  #pin(): void {
    if (this.#marked) this.#unpin();
    else {
      const { at, revision } = this.#shown;
      this.#marked = revision ? { against_revision: revision } : { against: at ?? this.#at };
      this.#compare.textContent = t("past.compared", { time: this.#at.slice(11, 19) });
      this.#compare.setAttribute("aria-pressed", "true");
    }
    void this.#load(this.#shown, "");
  }

  #unpin(): void {
    this.#marked = undefined;
    this.#compare.textContent = t("past.compare");
    this.#compare.setAttribute("aria-pressed", "false");
  }

  #slide(): void {
    if (!this.#span) return;
    const at = new Date(Date.parse(this.#span.begin) + Number(this.#slider.value) * 1000 + 999);
    const now = new Date(this.#span.now);
    const when = at < now ? at : now;
    this.#mark = this.#span.marks.filter((mark) => Date.parse(mark.at) <= when.getTime()).length - 0.5;
    this.#tell(when.toISOString());
    this.#soon({ at: when.toISOString() });
  }

  /** To the next thing that came from outside, in that direction. */
  #hop(step: number): void {
    const marks = this.#span?.marks ?? [];
    const place = step < 0 ? Math.ceil(this.#mark) - 1 : Math.floor(this.#mark) + 1;
    const mark = marks[place];
    if (!mark || !this.#span) return;
    this.#mark = place;
    this.#slider.value = String(Math.floor((Date.parse(mark.at) - Date.parse(this.#span.begin)) / 1000));
    this.#tell(mark.at);
    this.#soon({ revision: String(mark.revision) }, t("past.after", { text: mark.text }));
  }

  #tell(at: string): void {
    this.#time.textContent = at.slice(11, 19);
    this.#time.dateTime = at;
    this.#slider.setAttribute("aria-valuetext", at.slice(11, 19));
    const marks = this.#span?.marks.length ?? 0;
    this.#earlier.disabled = Math.ceil(this.#mark) - 1 < 0;
    this.#later.disabled = Math.floor(this.#mark) + 1 >= marks;
  }

  #soon(wanted: Record<string, string>, text = ""): void {
    window.clearTimeout(this.#timer);
    this.#asking.abort();
    this.ariaBusy = "true";
    this.#timer = window.setTimeout(() => void this.#load(wanted, text), SETTLE_MS);
  }

  async #load(wanted: Record<string, string>, text: string): Promise<void> {
    this.#asking.abort();
    const asking = (this.#asking = new AbortController());
    this.ariaBusy = "true";
    try {
      const moment = await request<Moment>("GET", `${page.base}past/?${new URLSearchParams({ ...wanted, ...this.#marked })}`, undefined, asking.signal);
      if (this.hidden) return;
      this.#said.textContent = [text, t("past.reading")].filter(Boolean).join(" ");
      const n = moment.since.length + moment.more;
      const time = moment.against.slice(11, 19);
      if (time) this.#count.textContent = n ? t("past.between", { n, time }) : t("past.between_same", { time });
      else this.#count.textContent = n ? t("past.since", { n }) : t("past.same");
      this.#since.replaceChildren(...moment.since.map(line));
      emit("dd-past", { at: moment.at, objects: moment.objects, against: moment.against });
      this.#at = moment.at;
      this.#shown = wanted;
      if (this.#together) await this.#turn(true);
    } catch (error) {
      if (error instanceof RequestError) this.#said.textContent = error.message;
      else if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
    } finally {
      if (!asking.signal.aborted) this.ariaBusy = null;
    }
  }
}

function line({ what, text, changed, last }: Change): HTMLElement {
  const rest = changed.slice(TOLD).map(({ path, before, after }) => h("li", {}, h("code", {}, path), `: ${before || "∅"} → ${after || "∅"}`));
  const more = rest.length ? h("details", {}, h("summary", {}, t("past.fields", { n: rest.length })), h("ul", { class: "past-fields" }, ...rest)) : null;
  return h("li", { "data-what": what }, text, last ? h("span", { class: "muted" }, ` · ${last}`) : null, more);
}

customElements.define("dd-past", PastElement);
