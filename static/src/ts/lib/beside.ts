// A lesson's blocks run beside its text, on a cluster of the reader's own. Each shows below itself what it printed, a
// small map of the cluster as it was then, and the cluster's time, which stands meanwhile. A block with `data-own` runs on
// a copy of the cluster, and shows that. So does what the reader is to complete, which is judged by what it printed.
import { h, icon, need } from "./dom";
import { renew, request, requestLines, RequestError } from "./http";
import { t } from "./i18n";

interface Ran {
  block: number;
  status: number;
  output: string;
  cut: boolean;
  late: boolean;
}

export interface Picture {
  nodes: { name: string; ready: boolean; cordoned: boolean }[];
  pods: { name: string; namespace: string; node: string; status: string; ready: boolean }[];
  more: number;
}

interface Answer {
  ran: Ran[];
  now: string;
  picture: Picture;
  /** Whether that is of a copy, which is gone by now. */
  copy: boolean;
  /** Which guess came true, where one was asked for. */
  happened: number | null;
  clock: string;
  /** The reader may have become a guest just now. */
  token: string;
}

function failure(error: unknown): string {
  return error instanceof RequestError ? error.message : t("http.offline");
}

function printed(ran: Ran): Node[] {
  const parts: Node[] = [];
  if (ran.output.trim()) {
    parts.push(h("pre", { tabindex: 0, role: "group", "aria-label": t("beside.output") }, h("code", {}, ran.output.trimEnd())));
  } else {
    parts.push(h("p", { class: "beside-note" }, t("beside.nothing")));
  }
  if (ran.cut) parts.push(h("p", { class: "beside-note" }, t("beside.cut")));
  if (ran.late) parts.push(h("p", { class: "beside-bad" }, t("beside.late")));
  else if (ran.status !== 0) parts.push(h("p", { class: "beside-bad" }, t("beside.status", { status: ran.status })));
  return parts;
}

function look(pod: Picture["pods"][number]): string {
  if (pod.status === "Completed" || pod.status === "Succeeded") return "done";
  if (pod.ready) return "ready";
  return /^(Pending|ContainerCreating|Running|PodInitializing|Init:\d+\/\d+|Terminating)$/.test(pod.status) ? "waiting" : "trouble";
}

/** Nodes with their Pods. What colour says is said in words, too. `ofCopy`: they are not the reader's own. */
export function drawPicture(picture: Picture, ofCopy = false): HTMLElement | null {
  if (picture.pods.length === 0) return null;
  const group = (title: string, mark: string, pods: Picture["pods"]): Node =>
    h(
      "li",
      {},
      h("strong", {}, title),
      mark ? h("span", { class: "beside-mark" }, mark) : null,
      pods.length === 0
        ? h("span", { class: "beside-note" }, t("beside.no_pods"))
        : h(
            "ul",
            {},
            ...pods.map((pod) =>
              h("li", { "data-look": look(pod), title: t("beside.pod", { name: pod.name, status: pod.status }) }, h("span", {}, pod.name), h("small", {}, pod.status)),
            ),
          ),
    );
  const lost = picture.pods.filter((pod) => !picture.nodes.some((node) => node.name === pod.node));
  const nodes = picture.nodes
    .map((node) => ({ node, pods: picture.pods.filter((pod) => pod.node === node.name) }))
    .filter(({ node, pods }) => pods.length > 0 || node.cordoned || !node.ready);
  return h(
    "div",
    { class: ofCopy ? "beside-map beside-map-copy" : "beside-map", role: "group", "aria-label": ofCopy ? t("beside.map_copy") : t("beside.map") },
    ofCopy ? h("p", { class: "beside-note" }, t("beside.map_copy")) : null,
    h(
      "ul",
      {},
      ...nodes.map(({ node, pods }) => group(node.name, node.ready ? (node.cordoned ? t("beside.cordoned") : "") : t("beside.not_ready"), pods)),
      lost.length > 0 ? group(t("beside.unplaced"), "", lost) : null,
    ),
    picture.more > 0 ? h("p", { class: "beside-note" }, t("beside.more", { n: picture.more })) : null,
  );
}

/** What the reader has to say before a block runs. */
interface Asked {
  /** Whether nothing was said yet; then the reader is asked to. */
  waits(): boolean;
  /** What of it goes along with the request. */
  readonly sent: object;
  compare(happened: number | null): void;
}

/** What is asked before a block runs. Time stands until it is answered. */
class Prediction implements Asked {
  readonly sent = {};
  readonly #said: HTMLElement;
  readonly #guesses: HTMLInputElement[];
  #compared = false;

  constructor(private readonly place: HTMLElement) {
    this.#said = need(".predict-said", place);
    this.#guesses = [...place.querySelectorAll<HTMLInputElement>("input")];
    need("details", place).hidden = true;
  }

  get #chosen(): number {
    return this.#guesses.findIndex((guess) => guess.checked);
  }

  waits(): boolean {
    if (this.#chosen >= 0) return false;
    this.#said.textContent = t("predict.first");
    this.#guesses[0]?.focus();
    return true;
  }

  compare(happened: number | null): void {
    if (this.#compared || happened === null) return;
    this.#compared = true;
    const right = this.#chosen === happened;
    this.place.classList.add(right ? "is-right" : "is-wrong");
    this.#said.textContent = right ? t("predict.right") : t("predict.other");
    for (const guess of this.#guesses) guess.disabled = true;
    const details = need<HTMLDetailsElement>("details", this.place);
    details.hidden = false;
    details.open = true;
    for (const why of this.place.querySelectorAll<HTMLElement>("[data-why]")) {
      const number = Number(why.dataset.why);
      why.classList.toggle("is-happened", number === happened);
      why.hidden = number !== happened && number !== this.#chosen;
    }
  }
}

/** A gap that the reader fills; the cluster says what came of it, as often as it is tried. */
class Completion implements Asked {
  readonly #said: HTMLElement;
  readonly #gap: HTMLInputElement;
  readonly #details: HTMLDetailsElement;

  constructor(private readonly place: HTMLElement) {
    this.#said = need(".predict-said", place);
    this.#gap = need<HTMLInputElement>(".gap", place);
    this.#details = need<HTMLDetailsElement>("details", place);
    this.#details.hidden = true;
    this.#gap.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.isComposing) place.querySelector<HTMLElement>(".code-run")?.click();
    });
  }

  get sent(): object {
    return { fill: this.#gap.value.trim() };
  }

  waits(): boolean {
    if (this.#gap.value.trim()) return false;
    this.#said.textContent = t("complete.first");
    this.#gap.focus();
    return true;
  }

  compare(happened: number | null): void {
    const outcomes = [...this.place.querySelectorAll<HTMLElement>("[data-why]")];
    const right = happened !== null && outcomes[happened]?.dataset.right !== undefined;
    this.place.classList.toggle("is-right", right);
    this.place.classList.toggle("is-wrong", !right);
    this.#said.textContent = right ? t("complete.right") : happened === null ? t("complete.unknown") : t("complete.other");
    this.#details.hidden = happened === null;
    this.#details.open = true;
    // Once it is right, what would have come of the others is told, too.
    outcomes.forEach((outcome, number) => {
      outcome.classList.toggle("is-happened", right && number === happened);
      outcome.hidden = !right && number !== happened;
      need("p", outcome).hidden = !right; // what leads to it is not what the reader wrote
    });
  }
}

/** The cluster, which is started before the click when the reader is about to run something: once a page. */
class Cluster {
  #ready: Promise<void> | null = null;

  constructor(private readonly base: string) {}

  /** Whoever comes new gets a cluster when they press, not when they pass by. */
  watch(button: HTMLElement, isKnown: boolean): void {
    for (const event of isKnown ? ["pointerenter", "focus", "pointerdown"] : ["pointerdown"]) {
      button.addEventListener(event, () => void this.#start(), { once: true });
    }
  }

  #start(): Promise<void> {
    this.#ready ??= request<{ token: string }>("POST", `${this.base}ready/`, {}).then(
      ({ token }) => renew(token),
      () => undefined, // what is wrong the block itself tells
    );
    return this.#ready;
  }

  /** Run the block; `show` is given what it prints as it comes. */
  async run({ block, at }: DOMStringMap, sent: object, show: (text: string) => void): Promise<Answer> {
    // A reader who becomes a guest becomes one once.
    await this.#ready;
    return requestLines<Answer>(`${this.base}${at ?? block}/`, sent, (line) => {
      if (!("text" in line)) return false;
      if ("block" in line && String(line.block) === block) show(String(line.text));
      return true;
    });
  }
}

class Beside {
  readonly #panel = h("div", { class: "beside", hidden: true });
  readonly #said = h("p", { class: "beside-said", role: "status" });
  readonly #button: HTMLButtonElement;
  readonly #label: HTMLElement;

  constructor(
    private readonly place: HTMLElement,
    private readonly base: string,
    private readonly cluster: Cluster,
    private readonly isTrial: boolean,
    private readonly asked: Asked | undefined,
  ) {
    this.#label = h("span", {}, this.#name);
    this.#button = h("button", { type: "button", class: "code-run", onclick: () => void this.#run() }, icon("play"), this.#label);
    cluster.watch(this.#button, document.querySelector("[data-review]") !== null);
    place.querySelector(".code-tools")?.prepend(this.#button);
    const { own } = place.dataset;
    if (own !== undefined) {
      const note = h("p", { class: "beside-own", id: `own-${place.dataset.block}` }, own ? t("beside.of_block") : t("beside.of_start"));
      this.#button.setAttribute("aria-describedby", note.id);
      place.append(note);
    }
    place.append(this.#panel);
  }

  get #name(): string {
    if (this.place.dataset.own !== undefined) return t("beside.copy");
    return this.isTrial ? t("beside.try") : t("beside.run");
  }

  async #run(): Promise<void> {
    if (this.#button.getAttribute("aria-disabled") === "true" || this.asked?.waits()) return;
    this.#button.setAttribute("aria-disabled", "true"); // not `disabled`: the focus stays where it is
    this.#label.textContent = t("beside.running");
    try {
      this.#show(await this.cluster.run(this.place.dataset, this.asked?.sent ?? {}, (text) => this.#stream(text)));
    } catch (error) {
      this.#panel.replaceChildren(h("p", { class: "beside-bad", role: "alert" }, failure(error)));
    } finally {
      this.#panel.hidden = false;
      this.#button.removeAttribute("aria-disabled");
      this.#label.textContent = this.#name;
    }
  }

  /** What it has printed so far. */
  #stream(text: string): void {
    let shown = this.#panel.querySelector(".beside-coming code");
    if (!shown) {
      shown = h("code", {});
      this.#panel.replaceChildren(h("div", { class: "beside-coming" }, h("pre", { tabindex: 0, role: "group", "aria-label": t("beside.output") }, shown)));
      this.#panel.hidden = false;
    }
    shown.append(text);
  }

  #show(answer: Answer): void {
    renew(answer.token);
    this.asked?.compare(answer.happened);
    const number = Number(this.place.dataset.block);
    const own = answer.ran.find((ran) => ran.block === number);
    const before = answer.ran.filter((ran) => ran.block !== number);
    const time = answer.now.slice(11, 19);
    this.#said.textContent = answer.copy ? t("beside.time_copy", { time }) : t("beside.time", { time });
    this.#panel.replaceChildren(
      ...(before.length > 0
        ? [h("details", { class: "beside-before", open: own === undefined }, h("summary", {}, t("beside.before")), ...before.flatMap(printed))]
        : []),
      ...(own ? printed(own) : [h("p", { class: "beside-bad" }, t("beside.stopped"))]),
      ...(own && this.isTrial ? [h("p", { class: "beside-note" }, t("beside.tried"))] : []),
      ...[drawPicture(answer.picture, answer.copy)].filter((part) => part !== null),
      h(
        "div",
        { class: "beside-foot" },
        this.#said,
        ...(answer.copy
          ? [] // which is gone: nothing can happen to it
          : [
              h("button", { type: "button", class: "button button-small", onclick: () => void this.#step(answer.clock) }, t("beside.step")),
              h("button", { type: "button", class: "button button-small button-plain", onclick: () => void this.#startOver() }, t("beside.over")),
            ]),
      ),
    );
  }

  async #step(clock: string): Promise<void> {
    try {
      const answer = await request<{ now: string; sentence: string }>("POST", clock, { action: "step" });
      this.#said.textContent = `${answer.now.slice(11, 19)}: ${answer.sentence || t("beside.quiet")}`;
    } catch (error) {
      this.#said.textContent = failure(error);
    }
  }

  async #startOver(): Promise<void> {
    try {
      await request("POST", this.base, {});
      this.#panel.replaceChildren(h("p", { class: "beside-note", role: "status" }, t("beside.begun_again")));
      this.#button.focus();
    } catch (error) {
      this.#said.textContent = failure(error);
    }
  }
}

function askedFor(root: HTMLElement, place: HTMLElement): Asked | undefined {
  if ("complete" in root.dataset) return new Completion(root);
  const asked = root.querySelector<HTMLElement>(`[data-predict="${place.dataset.block}"]`);
  return asked ? new Prediction(asked) : undefined;
}

/** Give each block below `root` that runs its button. `base` is the address of the lesson's blocks. */
export function runBeside(root: HTMLElement, base: string): void {
  const cluster = new Cluster(base);
  for (const place of root.querySelectorAll<HTMLElement>(".code[data-block]")) {
    new Beside(place, base, cluster, place.dataset.file !== undefined, askedFor(root, place));
  }
}
