// Help with manifests: what may stand at a place, what a field means, and what the API server would say to the file.
import {
  autocompletion,
  closeCompletion,
  completionKeymap,
  selectedCompletion,
  startCompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
} from "@codemirror/autocomplete";
import { linter, lintKeymap, type Diagnostic } from "@codemirror/lint";
import { Prec, type EditorState, type Extension, type Text } from "@codemirror/state";
import { hoverTooltip, keymap, type EditorView } from "@codemirror/view";
import { h } from "../../lib/dom";
import { request, RequestError } from "../../lib/http";
import { t } from "../../lib/i18n";
import { page } from "../page";
import { entryOf, outlineOf, spotAt, type Outline, type Path } from "./outline";
import { Schemas, type Shape } from "./schema";

const schemas = new Schemas(page.cluster);
const LINT_MS = 700;

/** The kind of the document that a place is in. */
async function shapeAt(text: Text, outline: Outline, at: number): Promise<Shape | undefined> {
  const [apiVersion, kind] = ["apiVersion", "kind"].map((key) => topOf(text, outline, at, key));
  return apiVersion && kind ? schemas.of(apiVersion, kind).catch(() => undefined) : undefined;
}

function topOf(text: Text, { entries, documents }: Outline, at: number, key: string): string {
  const document = documents[text.lineAt(at).number];
  return entries.find((entry) => entry.document === document && entry.path.length === 1 && entry.path[0] === key)?.value ?? "";
}

/** English as it is published: Kubernetes has it in no other language. */
function documentation(shape: Shape): HTMLElement {
  return h("p", { class: "doc-text", lang: "en" }, shape.whole.description ?? t("editor.no_doc"));
}

// -- what may stand here -----------------------------------------------------------------------------

/** What follows a key that was chosen: its value's beginning. */
function keyWith(name: string, shape: Shape, column: number): string {
  const inner = " ".repeat(column + 2);
  if (shape.type.startsWith("[]")) return `${name}:\n${inner}- `;
  return shape.type === "object" ? `${name}:\n${inner}` : `${name}: `;
}

function keysOf(shape: Shape, known: Set<unknown>, column: number): Completion[] {
  const { properties = {}, required = [] } = shape.whole;
  return Object.keys(properties)
    .filter((name) => !known.has(name) && !(name === "status" && column === 0))
    .map((name) => {
      const inner = shape.step(name) as Shape;
      return {
        label: name,
        type: "property",
        detail: required.includes(name) ? t("editor.required", { type: inner.type }) : inner.type,
        boost: required.includes(name) ? 1 : 0,
        info: () => documentation(inner),
        apply(view: EditorView, _completion: Completion, from: number, to: number) {
          // A colon that stands there already stays.
          const rest = view.state.doc.lineAt(to).text.slice(to - view.state.doc.lineAt(to).from);
          const insert = /^\s*:/.test(rest) ? name : keyWith(name, inner, column);
          view.dispatch({ changes: { from, to, insert }, selection: { anchor: from + insert.length }, userEvent: "input.complete" });
          if (!inner.whole.properties || insert !== name) startCompletion(view);
        },
      };
    });
}

function valuesOf(shape: Shape | undefined): string[] {
  const { enum: values, type } = shape?.whole ?? {};
  return values?.map(String) ?? (type === "boolean" ? ["true", "false"] : []);
}

/** Before there is a kind, a manifest has these. */
const TOP = ["apiVersion", "kind", "metadata", "spec"];

async function complete(context: CompletionContext): Promise<CompletionResult | null> {
  const text = context.state.doc;
  const { parent, key, from, column } = spotAt(text, context.pos);
  const outline = outlineOf(text);
  const document = outline.documents[text.lineAt(context.pos).number];
  const result = (options: Completion[]): CompletionResult | null => (options.length ? { from, options, validFor: /^[\w./-]*$/ } : null);
  const values = (found: string[]): CompletionResult | null => result(found.map((label) => ({ label, type: "enum" })));
  if (key !== undefined && from > 0 && text.sliceString(from - 1, from) === ":") return null;
  if (key === "apiVersion" && parent.length === 0) return values(await schemas.versions().catch(() => []));
  if (key === "kind" && parent.length === 0) {
    return values(await schemas.kinds(topOf(text, outline, context.pos, "apiVersion")).catch(() => []));
  }
  const shape = await shapeAt(text, outline, context.pos);
  if (key !== undefined) return values(valuesOf(shape?.at([...parent, key])));
  const line = text.lineAt(context.pos);
  const siblings = outline.entries.filter((entry) => entry.document === document && isChild(entry.path, parent));
  const known = new Set(siblings.filter((entry) => entry.from < line.from || entry.from > line.to).map(({ path }) => path.at(-1)));
  if (!shape) {
    if (parent.length) return null;
    return result(TOP.filter((name) => !known.has(name)).map((label) => ({ label, type: "property", apply: /^[ms]/.test(label) ? `${label}:\n  ` : `${label}: ` })));
  }
  const place = shape.at(parent);
  if (!place) return null;
  return result([...keysOf(place, known, column), ...valuesOf(place).map((label) => ({ label, type: "enum" }))]);
}

function isChild(path: Path, parent: Path): boolean {
  return path.length === parent.length + 1 && parent.every((step, index) => step === path[index]);
}

/** A value that is typed to its end has nothing to complete: Enter ends the line. */
function isTyped(view: EditorView): boolean {
  const chosen = selectedCompletion(view.state);
  const at = view.state.selection.main.head;
  if (chosen?.type === "enum" && view.state.sliceDoc(0, at).endsWith(` ${chosen.label}`)) closeCompletion(view);
  return false;
}

// -- what a field means ------------------------------------------------------------------------------

export interface Doc {
  /** `spec.replicas <integer>` */
  head: string;
  text: HTMLElement;
  from: number;
  to: number;
}

/** What the field means whose key is at a place, or in its line. */
export async function docAt(state: EditorState, at: number, inLine: boolean): Promise<Doc | undefined> {
  const outline = outlineOf(state.doc);
  const line = state.doc.lineAt(at);
  const entry = outline.entries.find(({ from, to }) => (inLine ? from >= line.from && to <= line.to : from <= at && at <= to));
  const root = entry && (await shapeAt(state.doc, outline, at));
  const path = [...(entry?.path ?? [])];
  // A label of the learner's own is told by the field that it is in.
  while (path.length > 1 && !root?.at(path)?.whole.description) path.pop();
  const shape = root?.at(path);
  if (!entry || !shape) return undefined;
  const name = path.map((step) => (typeof step === "number" ? "[]" : `.${step}`)).join("").slice(1);
  return { head: `${name} <${shape.type}>`, text: documentation(shape), from: entry.from, to: entry.to };
}

const hover = hoverTooltip(async (view, at) => {
  const doc = await docAt(view.state, at, false);
  if (!doc) return null;
  return {
    pos: doc.from,
    end: doc.to,
    create: () => ({ dom: h("div", { class: "doc" }, h("p", { class: "doc-head" }, h("code", {}, doc.head)), doc.text) }),
  };
});

// -- what the API server would say -------------------------------------------------------------------

interface Finding {
  document: number;
  field: string;
  message: string;
  sure: boolean;
  line?: number;
}

function placed(text: Text, findings: Finding[]): Diagnostic[] {
  const outline = outlineOf(text);
  return findings.map(({ document, field, message, sure, line }) => {
    const whole = text.line(Math.min(Math.max(line ?? 1, 1), text.lines));
    const { from, to } = (line === undefined && entryOf(outline, document, field)) || whole;
    return { from, to, severity: sure ? "error" : "warning", message };
  });
}

/** YAML indents with spaces only; a tab is the most common mistake and the least visible. */
function tabs(text: Text): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (let number = 1; number <= text.lines && found.length < 20; number++) {
    const line = text.line(number);
    const indent = /^[ ]*\t+/.exec(line.text);
    if (indent) found.push({ from: line.from, to: line.from + indent[0].length, severity: "error", message: t("editor.tab") });
  }
  return found;
}

function lint(path: string, isAsked: () => boolean): Extension {
  return linter(
    async ({ state }) => {
      const found = tabs(state.doc);
      if (found.length || !isAsked() || !/\S/.test(state.doc.toString())) return found;
      try {
        const { findings } = await request<{ findings: Finding[] }>("POST", `${page.base}lint/`, { path, content: state.doc.toString() });
        return placed(state.doc, findings);
      } catch (error) {
        if (error instanceof RequestError) return []; // nobody can say; applying it will
        throw error;
      }
    },
    { delay: LINT_MS },
  );
}

/** Help for a manifest; `isAsked`: whether the API server is to be asked about it now. */
export function yamlHelp(path: string, isAsked: () => boolean): Extension {
  return [
    autocompletion({ override: [complete], defaultKeymap: false, icons: false }),
    Prec.highest(keymap.of([{ key: "Enter", run: isTyped }, ...completionKeymap])),
    hover,
    lint(path, isAsked),
    keymap.of(lintKeymap),
  ];
}
