// <dd-timeline>: while one looks back, the lives of the Pods on the cluster's clock, with its Events, its checks and what
// came from outside. A click goes to that moment, and so do the arrow keys; + and - zoom.
import { h } from "../lib/dom";
import { request, RequestError } from "../lib/http";
import { t } from "../lib/i18n";
import { on, page } from "./page";

interface Span {
  begin: string;
  now: string;
  marks: { at: string; text: string }[];
}

interface Timeline {
  pods: { name: string; namespace: string; stages: { at: string; look: string }[] }[];
  more: number;
  events: { at: string; type: string; reason: string; about: string }[];
  checks: { at: string; title: string; state: string }[];
}

const CLOSEST_MS = 2000;
const ZOOM = 2;
/** Of what is shown an arrow key goes over so much. */
const STRIDE = 1 / 50;

class TimelineElement extends HTMLElement {
  #span: Span | undefined;
  #timeline: Timeline | undefined;
  /** What is shown, and the moment that is looked at: milliseconds of the cluster's time. */
  #from = 0;
  #to = 1;
  #at = 0;
  /** The moment that it is compared with; NaN: none. */
  #against = NaN;
  readonly #lanes = h("div", {
    class: "lanes",
    tabindex: 0,
    role: "group",
    "aria-label": t("timeline.lanes"),
    "aria-keyshortcuts": "ArrowLeft ArrowRight + -",
    onkeydown: (event: Event) => this.#press(event as KeyboardEvent),
  });
  readonly #range = h("span", { class: "num muted", role: "status" });
  readonly #said = h("p", { class: "muted", hidden: true });

  connectedCallback(): void {
    this.hidden = true;
    const zoom = (text: string, factor: number): HTMLElement => h("button", { type: "button", class: "bar-button", onclick: () => this.#zoom(factor) }, text);
    this.append(
      h(
        "details",
        { ontoggle: () => void this.#load() },
        h("summary", {}, t("timeline.open")),
        h("div", { class: "timeline-bar" }, zoom(t("timeline.closer"), 1 / ZOOM), zoom(t("timeline.wider"), ZOOM), this.#range),
        this.#said,
        this.#lanes,
      ),
    );
    on("dd-past", (past) => {
      const opened = this.hidden && past !== undefined;
      this.hidden = past === undefined;
      if (past) [this.#at, this.#against] = [Date.parse(past.at), Date.parse(past.against)];
      if (opened) void this.#load();
      else this.#draw();
    });
    on("dd-reset", () => (this.#timeline = undefined));
    this.#lanes.addEventListener("click", (event) => this.#go(event));
  }

  async #load(): Promise<void> {
    if (this.hidden || !this.querySelector("details")?.open) return;
    try {
      [this.#span, this.#timeline] = await Promise.all([request<Span>("GET", `${page.base}past/`), request<Timeline>("GET", `${page.base}timeline/`)]);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.#said.textContent = error.message;
      this.#said.hidden = false;
      return;
    }
    this.#said.hidden = this.#timeline.more === 0;
    this.#said.textContent = t("map.more", { n: this.#timeline.more });
    this.#from = Date.parse(this.#span.begin);
    this.#to = Math.max(Date.parse(this.#span.now), this.#from + CLOSEST_MS);
    this.#draw();
  }

  /** Show more or less of the time, around the moment that is looked at. */
  #zoom(factor: number): void {
    if (!this.#span) return;
    const begin = Date.parse(this.#span.begin);
    const end = Math.max(Date.parse(this.#span.now), begin + CLOSEST_MS);
    const width = Math.min(end - begin, Math.max(CLOSEST_MS, (this.#to - this.#from) * factor));
    const share = Math.min(1, Math.max(0, (this.#at - this.#from) / (this.#to - this.#from)));
    this.#from = Math.min(end - width, Math.max(begin, this.#at - share * width));
    this.#to = this.#from + width;
    this.#draw();
  }

  /** To the moment of the place, or of the thing, that was clicked. */
  #go(event: MouseEvent): void {
    const track = (event.target as Element).closest<HTMLElement>(".track");
    if (!track) return;
    const { left, width } = track.getBoundingClientRect();
    const at = (event.target as HTMLElement).dataset.at;
    this.#look(at ? Date.parse(at) : this.#from + ((event.clientX - left) / width) * (this.#to - this.#from));
  }

  #press(event: KeyboardEvent): void {
    const stride = Math.max(1000, (this.#to - this.#from) * STRIDE);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowLeft") this.#look(this.#at - stride);
    else if (event.key === "ArrowRight") this.#look(this.#at + stride);
    else if (event.key === "+" || event.key === "=") this.#zoom(1 / ZOOM);
    else if (event.key === "-") this.#zoom(ZOOM);
    else return;
    event.preventDefault();
  }

  /** The slider goes there, and with it all that looks at the past. */
  #look(when: number): void {
    const slider = document.querySelector<HTMLInputElement>("#past-slider");
    if (!slider || !this.#span) return;
    const [begin, now] = [Date.parse(this.#span.begin), Date.parse(this.#span.now)];
    this.#at = Math.min(now, Math.max(begin, when));
    slider.value = String(Math.floor((this.#at - begin) / 1000));
    slider.dispatchEvent(new Event("input"));
    this.#draw();
  }

  /** What is shown goes along with the moment that is looked at. */
  #follow(): void {
    const width = this.#to - this.#from;
    if (this.#at < this.#from) this.#from = this.#at;
    else if (this.#at > this.#to) this.#from = this.#at - width;
    this.#to = this.#from + width;
  }

  // -- drawing ---------------------------------------------------------------------------------------

  #draw(): void {
    if (!this.#span || !this.#timeline || this.hidden) return;
    this.#follow();
    this.#range.textContent = `${clock(this.#from)} – ${clock(this.#to)}`;
    const { pods, events, checks } = this.#timeline;
    this.#lanes.replaceChildren(
      this.#lane(t("timeline.actions"), this.#span.marks.map(({ at, text }) => this.#point(at, "mark", text))),
      this.#lane(t("timeline.events"), events.map(({ at, type, reason, about }) => this.#point(at, type === "Warning" ? "warning" : "event", `${reason}: ${about}`))),
      ...(checks.length ? [this.#lane(t("timeline.checks"), checks.map(({ at, title, state }) => this.#point(at, state, `${title}: ${t(`checks.${state}`)}`)))] : []),
      ...pods.map(({ name, stages }) => this.#lane(name, stages.map(({ at, look }, index) => this.#stage(at, stages[index + 1]?.at, look)))),
    );
  }

  #lane(name: string, parts: (HTMLElement | null)[]): HTMLElement {
    const shown = parts.filter((part) => part !== null);
    const looked = [this.#at, this.#against].filter((at) => at >= this.#from && at <= this.#to).map((at) => {
      const place = h("span", { class: "track-now", "aria-hidden": "true" });
      place.style.left = `${this.#percent(at)}%`;
      return place;
    });
    const told = shown.map((part) => part.title).join("; ");
    return h("div", { class: "lane" }, h("span", { class: "lane-name", title: name }, name), h("div", { class: "track", role: "img", "aria-label": `${name}: ${told || t("map.none")}` }, ...shown, ...looked));
  }

  #percent(at: number): number {
    return Math.min(100, Math.max(0, (100 * (at - this.#from)) / (this.#to - this.#from)));
  }

  #point(at: string, look: string, text: string): HTMLElement | null {
    const when = Date.parse(at);
    if (when < this.#from || when > this.#to) return null;
    const point = h("span", { class: "track-point", "data-look": look, "data-at": at, title: `${clock(when)} ${text}` });
    point.style.left = `${this.#percent(when)}%`;
    return point;
  }

  #stage(at: string, end: string | undefined, look: string): HTMLElement | null {
    const [from, to] = [Date.parse(at), end === undefined ? this.#to : Date.parse(end)];
    if (look === "gone" || to < this.#from || from > this.#to) return null;
    const stage = h("span", { class: "track-stage", "data-look": look, title: `${clock(from)} ${t(`map.look_${look}`)}` });
    stage.style.left = `${this.#percent(from)}%`;
    stage.style.width = `${this.#percent(to) - this.#percent(from)}%`;
    return stage;
  }
}

function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}

customElements.define("dd-timeline", TimelineElement);
