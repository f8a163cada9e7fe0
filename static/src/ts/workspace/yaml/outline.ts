// Where in a YAML text is what: the keys and items of its lines, by their columns. It reads what is half typed, too, so it
// is no parser: flow collections and texts of several lines are one value each.
import type { Text } from "@codemirror/state";

export type Path = (string | number)[];

export interface Entry {
  /** Of the documents that are not empty, from 0. */
  document: number;
  /** Keys, and places in lists from 0. */
  path: Path;
  /** What stands behind the colon, without quotes and comment; of an item without a key, itself. */
  value: string;
  from: number;
  to: number;
}

export interface Outline {
  entries: Entry[];
  /** Which document a line is in. */
  documents: number[];
}

interface Level {
  column: number;
  step: string | number;
}

/** A line up to its value: the dashes, the key. */
const LINE = /^(\s*)((?:-(?:\s+|$))*)(?:("[^"]*"|'[^']*'|[^\s#'"[\]{},&*!|>%@`:-](?:[^:#]|:(?!\s|$)|(?<!\s)#)*?)\s*:(?=\s|$))?\s*(.*)$/;
const BLOCK = /^(?:[&!]\S+\s+)*[|>][+\-0-9]*\s*(?:#.*)?$/;

function plain(value: string): string {
  const text = value.replace(/\s+#.*$/, "").trim();
  return /^(["']).*\1$/.test(text) ? text.slice(1, -1) : text;
}

/** Go to `column` with this step: what lies as deep or deeper ends. */
function enter(levels: Level[], column: number, isItem: boolean): Level | undefined {
  let last = levels.at(-1);
  // A list may stand at the column of its own key.
  while (last && (last.column > column || (last.column === column && (!isItem || typeof last.step === "number")))) {
    levels.pop();
    if (last.column === column && isItem) return last;
    last = levels.at(-1);
  }
  return undefined;
}

/** Take up the dashes of a line that begins at a column; the column after them. */
function items(levels: Level[], column: number, dashes: string): number {
  for (const dash of dashes.match(/-\s*/g) ?? []) {
    const before = enter(levels, column, true);
    levels.push({ column, step: typeof before?.step === "number" ? before.step + 1 : 0 });
    column += dash.length;
  }
  return column;
}

/** The lines from the first to before line `until` (from 1); `levels` is where the last of them is. */
function read(text: Text, until: number, levels: Level[]): Outline {
  const outline: Outline = { entries: [], documents: [0] };
  let document = 0;
  let filled = false;
  let block = -1;
  for (let number = 1; number < until; number++) {
    const line = text.line(number);
    if (/^(---|\.\.\.)(\s|$)/.test(line.text)) {
      if (filled) document += 1;
      filled = false;
      levels.length = 0;
      block = -1;
    }
    outline.documents[number] = document;
    const [, space = "", dashes = "", key, value = ""] = LINE.exec(line.text) ?? [];
    if (/^\s*(#|$|---|\.\.\.|%)/.test(line.text)) continue;
    if (block >= 0 && space.length > block) continue;
    filled = true;
    block = -1;
    const column = items(levels, space.length, dashes);
    if (key !== undefined) {
      enter(levels, column, false);
      levels.push({ column, step: plain(key) });
    } else if (!dashes) continue;
    const from = line.from + (key === undefined ? space.length : column);
    const to = key === undefined ? line.to : from + key.length;
    outline.entries.push({ document, path: levels.map(({ step }) => step), value: plain(value), from, to });
    if (BLOCK.test(value)) block = key === undefined ? space.length : column;
  }
  return outline;
}

export function outlineOf(text: Text): Outline {
  return read(text, text.lines + 1, []);
}

export interface Spot {
  /** Of the mapping that the line is in. */
  parent: Path;
  /** The key that stands before the place; undefined: the place is in a key. */
  key: string | undefined;
  /** Where what is typed there begins. */
  from: number;
  /** Where a key of this mapping begins in its line. */
  column: number;
}

/** Where a place of the text is. */
export function spotAt(text: Text, at: number): Spot {
  const line = text.lineAt(at);
  const levels: Level[] = [];
  read(text, line.number, levels);
  const before = line.text.slice(0, at - line.from);
  const [, space = "", dashes = "", key] = LINE.exec(before) ?? [];
  const column = items(levels, space.length, dashes);
  enter(levels, column, false);
  const start = key === undefined ? column : before.length - (/:\s+(.*)$/.exec(before)?.[1]?.length ?? 0);
  return {
    parent: levels.map(({ step }) => step),
    key: key === undefined ? undefined : plain(key),
    from: line.from + start,
    column,
  };
}

/** The steps of a field as the API server names it: `spec.containers[0].image`, `metadata.labels[a/b]`. */
function stepsOf(field: string): Path {
  return [...field.matchAll(/([^.[\]]+)|\[([^\]]*)\]/g)].map(([, name, inside]) =>
    name ?? (/^\d+$/.test(inside ?? "") ? Number(inside) : (inside ?? "").replace(/^"|"$/g, "")),
  );
}

/** The entry of a field of a document, or of as much of it as there is. */
export function entryOf(outline: Outline, document: number, field: string): Entry | undefined {
  const steps = stepsOf(field);
  const here = outline.entries.filter((entry) => entry.document === document);
  for (let length = steps.length; length > 0; length--) {
    const found = here.find(({ path }) => path.length === length && path.every((step, index) => step === steps[index]));
    if (found) return found;
  }
  return here.find(({ path }) => path[0] === "kind") ?? here[0];
}
