// Boxes of the map (a node, a workload, a group of objects) updated in place: only what changed is touched.
import { h } from "../../lib/dom";
import { t } from "../../lib/i18n";
import { PodGroup, type Choice } from "./podview";
import type { Pod } from "./objects";
import type { Bar } from "./requests";

interface Box {
  root: HTMLElement;
  title: HTMLElement;
  note: HTMLElement;
  tags: HTMLElement;
  gauge: HTMLElement;
  bars: Map<string, { meter: HTMLMeterElement; text: HTMLElement }>;
  group: PodGroup;
  folded: PodGroup;
  fold: HTMLElement;
}

/** What a box says. */
export interface Shown {
  key: string;
  look: string;
  title: string;
  notes?: (string | false | undefined)[];
  pods?: Pod[];
  /** Pods that are not the subject: marks without names, below the others. */
  folded?: Pod[];
  /** Of the object that it stands for: then its title chooses it. */
  uid?: string;
  tags?: string[];
  bars?: Bar[];
}

export class Boxes {
  readonly #boxes = new Map<string, Box>();
  #placed: Box[] = [];

  constructor(
    readonly body: HTMLElement,
    readonly choose: (uid: string) => void,
  ) {}

  clear(): void {
    this.#boxes.clear();
    this.body.replaceChildren();
  }

  /** A box, next in order. */
  show(shown: Shown, choice: Choice): void {
    const box = this.#boxes.get(shown.key) ?? this.#make(shown);
    const { look, title, notes = [], pods = [], folded = [], uid, tags = [], bars = [] } = shown;
    if (box.root.className !== `box ${look}`) box.root.className = `box ${look}`;
    setText(box.title, title);
    if (uid) setAttribute(box.title, "aria-pressed", String(uid === choice.uid));
    setText(box.note, notes.filter(Boolean).join(" · "));
    if (box.tags.childNodes.length !== tags.length || tags.some((tag, index) => box.tags.childNodes[index]?.textContent !== tag)) {
      box.tags.replaceChildren(...tags.map((tag) => h("li", { class: "tag", title: tag }, tag)));
    }
    for (const bar of bars) this.#fill(box, bar);
    box.group.update(pods, choice);
    box.folded.update(folded, choice);
    box.fold.hidden = folded.length === 0;
    this.#placed.push(box);
  }

  #make({ key, title, uid }: Shown): Box {
    const name = uid ? h("button", { type: "button", class: "box-title", "aria-pressed": "false", onclick: () => this.choose(uid) }) : h("span", {});
    const note = h("span", { class: "box-note num" });
    const tags = h("ul", { class: "tags" });
    const gauge = h("div", { class: "gauge" });
    const group = new PodGroup(title, this.choose);
    const folded = new PodGroup(t("map.system_of", { name: title }), this.choose);
    const fold = h("div", { class: "box-folded", hidden: true }, h("span", { class: "box-note" }, t("map.system")), folded.list);
    const root = h("section", {}, h("div", { class: "box-head" }, h("h2", {}, name), note), gauge, tags, group.list, fold);
    const box: Box = { root, title: name, note, tags, gauge, bars: new Map(), group, folded, fold };
    this.#boxes.set(key, box);
    return box;
  }

  #fill({ bars, gauge }: Box, { label, used, total, short, text }: Bar): void {
    let bar = bars.get(label);
    if (!bar) {
      bar = { meter: h("meter", { min: 0 }), text: h("span", { class: "num", "aria-hidden": "true" }) };
      gauge.append(h("p", { class: "bar" }, h("span", { "aria-hidden": "true" }, label), bar.meter, bar.text));
      bars.set(label, bar);
    }
    if (bar.meter.max !== total) bar.meter.max = total;
    if (bar.meter.value !== used) bar.meter.value = used;
    bar.meter.classList.toggle("is-full", used > 0.9 * total);
    setAttribute(bar.meter, "aria-label", `${label}: ${text}`);
    setText(bar.text, short);
  }

  /** Keep exactly the boxes that were shown since the last time, in their order, moving only what is out of place. */
  settle(): void {
    const wanted = new Set<Element>(this.#placed.map((box) => box.root));
    for (const child of [...this.body.children]) if (!wanted.has(child)) child.remove();
    this.#placed.forEach((box, index) => {
      if (this.body.children[index] !== box.root) this.body.insertBefore(box.root, this.body.children[index] ?? null);
    });
    const kept = new Set(this.#placed);
    for (const [key, box] of this.#boxes) if (!kept.has(box)) this.#boxes.delete(key);
    this.#placed = [];
  }
}

function setAttribute(element: HTMLElement, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function groupBy<T>(items: T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return groups;
}
