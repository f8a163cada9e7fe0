// How a text is edited: CodeMirror as this page has it, in its colours and in the reader's language.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
  type KeyBinding,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { t } from "../lib/i18n";

const COLOURS = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--tide)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--ok)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--ink-3)", fontStyle: "italic" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "light-dark(#7a3e9d, #d3a5f0)" },
  { tag: [tags.meta, tags.labelName, tags.typeName], color: "var(--lead)" },
]);

const LOOK = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--surface)", fontSize: "13.5px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--lead)", padding: "0.5rem 0" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--lead)", borderLeftWidth: "2px" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--ink-3)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--tide) 8%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--tide) 28%, transparent)",
  },
  ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--ink)", borderColor: "var(--line)" },
  ".cm-panels input, .cm-panels button": { minHeight: "0", fontSize: "13px" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--ink)", border: "1px solid var(--line-strong)", maxWidth: "min(40rem, 90vw)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "13px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--tide)", color: "var(--surface)" },
  ".cm-completionDetail": { color: "var(--ink-3)", fontStyle: "normal" },
  "li[aria-selected] .cm-completionDetail": { color: "inherit" },
  ".cm-tooltip .cm-completionInfo": { padding: "0.4rem 0.6rem", fontSize: "13px" },
  ".cm-panel.cm-panel-lint ul [aria-selected]": { backgroundColor: "color-mix(in srgb, var(--tide) 18%, transparent)", color: "inherit" },
});

/**
 * Typing over a selection, done by us: Chromium would carry the replaced text's look along in a style
 * attribute, which the Content-Security-Policy refuses with an error in the console.
 */
const replaceSelection = EditorView.domEventHandlers({
  beforeinput(event, view) {
    if (event.inputType !== "insertText" || !event.data || view.composing || view.state.selection.main.empty) return false;
    event.preventDefault();
    view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    return true;
  },
});

/** CodeMirror's own words. */
const PHRASES = EditorState.phrases.of({
  Find: t("cm.find"),
  Replace: t("cm.replace_with"),
  next: t("cm.next"),
  previous: t("cm.previous"),
  all: t("cm.all"),
  "match case": t("cm.case"),
  regexp: t("cm.regexp"),
  "by word": t("cm.word"),
  replace: t("cm.replace"),
  "replace all": t("cm.replace_all"),
  close: t("cm.close"),
  "current match": t("cm.match"),
  "on line": t("cm.on_line"),
  "replaced $ matches": t("cm.replaced"),
  "replaced match on line $": t("cm.replaced_on"),
  "Go to line": t("cm.go_to"),
  go: t("cm.go"),
  Completions: t("cm.completions"),
  Diagnostics: t("cm.problems"),
  "No diagnostics": t("cm.no_problems"),
});

export function isManifest(path: string): boolean {
  return /\.(ya?ml|json)$/i.test(path);
}

/** Everything but what belongs to one file: `own` and `keys` come with it. */
export function editing(path: string, own: Extension, keys: KeyBinding[]): Extension {
  return [
    lineNumbers(),
    highlightActiveLineGutter(),
    highlightActiveLine(),
    drawSelection(),
    history(),
    indentOnInput(),
    bracketMatching(),
    highlightSelectionMatches(),
    search({ top: true }),
    indentUnit.of("  "),
    lintGutter(),
    isManifest(path) ? yaml() : [],
    syntaxHighlighting(COLOURS),
    LOOK,
    PHRASES,
    replaceSelection,
    EditorView.contentAttributes.of({ "aria-label": t("editor.label", { path }), tabindex: "0" }),
    own,
    keymap.of([...keys, ...searchKeymap, ...historyKeymap, ...defaultKeymap, indentWithTab]),
  ];
}
