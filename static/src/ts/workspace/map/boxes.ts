// Boxes of the map (a node, a workload, a group of objects) updated in place: only what changed is touched.
import { h } from "../../lib/dom";
import { PodGroup } from "./podview";
import type { Pod } from "./objects";

export interface Box {
  root: HTMLElement;
  title: HTMLElement;
  note: HTMLElement;
  group: PodGroup;
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

  /** The box `key`, next in order, saying this. */
  show(key: string, look: string, title: string, notes: (string | false | undefined)[], pods: Pod[], chosen: string | undefined): Box {
    let box = this.#boxes.get(key);
    if (!box) {
      const head = h("h2", {});
      const note = h("span", { class: "box-note num" });
      const group = new PodGroup(title, this.choose);
      const root = h("section", {}, h("div", { class: "box-head" }, head, note), group.list);
      box = { root, title: head, note, group };
      this.#boxes.set(key, box);
    }
    if (box.root.className !== `box ${look}`) box.root.className = `box ${look}`;
    setText(box.title, title);
    setText(box.note, notes.filter(Boolean).join(" · "));
    box.group.update(pods, chosen);
    this.#placed.push(box);
    return box;
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
