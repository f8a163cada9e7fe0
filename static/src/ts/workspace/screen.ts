// One terminal of the run as xterm.js shows it: its bytes, its keys, its size, and finding text in it.
import { FitAddon } from "@xterm/addon-fit";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal, type IBufferLine, type ITheme } from "@xterm/xterm";
import { h } from "../lib/dom";
import { t } from "../lib/i18n";
import { socket, type Message } from "./socket";

const REOPEN_MS = 400;
const SCROLLBACK = 5000;
/** Characters that wait for a shell to be opened. */
const HELD_MAX = 4096;

const THEME: ITheme = {
  background: "#071522",
  foreground: "#d9e4ec",
  cursor: "#ff9a73",
  cursorAccent: "#071522",
  selectionBackground: "#2b5a7a",
  black: "#1b3145",
  red: "#ff8b8b",
  green: "#74d3a0",
  yellow: "#f2c46b",
  blue: "#7fb8f0",
  magenta: "#d3a5f0",
  cyan: "#74cadb",
  white: "#d9e4ec",
  brightBlack: "#7f97aa",
  brightRed: "#ffabab",
  brightGreen: "#9be6bf",
  brightYellow: "#ffdc95",
  brightBlue: "#a8d2ff",
  brightMagenta: "#e6c8fa",
  brightCyan: "#a1e2ee",
  brightWhite: "#ffffff",
};

export interface Look {
  fontSize: number;
  screenReaderMode: boolean;
}

export class Screen {
  readonly root = h("div", { class: "terminal-screen" });
  readonly #term: Terminal;
  readonly #fit = new FitAddon();
  #open = false;
  #ended = false;
  /** Typed while the shell was being opened, up to where it was too much. */
  #held = "";
  #full = false;

  constructor(
    readonly id: string,
    look: Look,
    readonly onFind: () => void,
    readonly onFull: () => void,
  ) {
    this.#term = new Terminal({
      ...look,
      fontFamily: "monospace",
      lineHeight: 1.25,
      theme: THEME,
      scrollback: SCROLLBACK,
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      minimumContrastRatio: 4.5,
      macOptionIsMeta: true,
      disableStdin: true,
    });
  }

  /** Begin, once `root` is in the document. */
  attach(): void {
    const term = this.#term;
    term.loadAddon(this.#fit);
    term.loadAddon(new WebLinksAddon());
    term.open(this.root);
    // Only once the font is here: the width of a cell is measured when the family changes.
    void document.fonts.load(`1em "Drydock Mono"`).finally(() => {
      term.options.fontFamily = getComputedStyle(document.documentElement).getPropertyValue("--mono");
      this.refit();
    });
    term.textarea?.setAttribute("aria-label", t("terminal.label", { n: this.id }));
    term.onData((data) => this.#typed(data));
    term.onResize(({ cols, rows }) => this.send({ type: "resize", cols, rows }));
    term.attachCustomKeyEventHandler((event) => this.#key(event));
    new ResizeObserver(() => this.refit()).observe(this.root);
    this.open();
  }

  open(): void {
    const asked = socket.send({ ch: "terminal", id: this.id, type: "open" });
    if (asked) this.#term.options.disableStdin = false;
  }

  /** The learner has closed it. */
  end(): void {
    this.#ended = true;
    this.send({ type: "close" });
    socket.send({ ch: "terminal", id: this.id, type: "shut" });
    this.#term.dispose();
    this.root.remove();
  }

  take(data: Uint8Array): void {
    this.#term.write(data);
  }

  receive(message: Message): void {
    if (message.type === "opened") {
      this.#open = true;
      // The host shows again what stands there.
      this.#term.reset();
      this.#term.options.disableStdin = false;
      this.refit();
      this.send({ type: "resize", cols: this.#term.cols, rows: this.#term.rows });
      if (this.#held) this.send({ type: "input", data: this.#held });
      this.#holdNothing();
    } else if (message.type === "lost") {
      this.rest();
      // The shell has ended, or its host is gone: the next one begins where this one is opened again.
      window.setTimeout(() => !this.#ended && this.open(), REOPEN_MS);
    }
  }

  /** The line is down. */
  rest(): void {
    this.#open = false;
    this.#holdNothing();
    this.#term.options.disableStdin = true;
  }

  /** The line is up, but a slow one takes a while to open the shell: what is typed meanwhile comes after it. */
  #typed(data: string): void {
    if (this.#open) this.send({ type: "input", data });
    else if (!this.#full && this.#held.length + data.length <= HELD_MAX) this.#held += data;
    else if (!this.#full) {
      // Nothing of what comes after it either: half a command is worse than none.
      this.#full = true;
      this.onFull();
    }
  }

  #holdNothing(): void {
    this.#held = "";
    this.#full = false;
  }

  send(frame: { type: string; [field: string]: unknown }): void {
    if (this.#open) socket.send({ ch: "terminal", id: this.id, ...frame });
  }

  focus(): void {
    this.#term.focus();
  }

  style(look: Look): void {
    Object.assign(this.#term.options, look);
    this.refit();
  }

  refit(): void {
    // Hidden panes have no size; fitting to them would tell the shell that its screen is two columns wide.
    if (this.root.offsetWidth > 80 && this.root.offsetHeight > 40) this.#fit.fit();
  }

  // -- text ------------------------------------------------------------------------------------------

  get selection(): string {
    return this.#term.getSelection();
  }

  paste(text: string): void {
    this.#term.paste(text);
  }

  onSelection(handler: () => void): void {
    this.#term.onSelectionChange(handler);
  }

  /** Select the next place above (or below) that has `text`, and show it; whether there is one. Letters' case is ignored. */
  find(text: string, up: boolean): boolean {
    const wanted = text.toLowerCase();
    const buffer = this.#term.buffer.active;
    const at = this.#term.getSelectionPosition();
    const count = buffer.length;
    const from = at ? at.start.y : up ? count : -1;
    const way = up ? -1 : 1;
    for (let step = 1; step <= count; step++) {
      const row = (((from + way * step) % count) + count) % count;
      const line = buffer.getLine(row);
      const place = line && cellsOf(line, wanted);
      if (!place) continue;
      this.#term.select(place.column, row, place.length);
      this.#term.scrollToLine(Math.max(0, row - Math.floor(this.#term.rows / 2)));
      return true;
    }
    return false;
  }

  /** Ctrl-C copies when text is selected; Ctrl-V pastes; Ctrl-Shift-F finds; F6 leaves, since Tab belongs to the shell. */
  #key(event: KeyboardEvent): boolean {
    if (event.key === "F6") return false;
    if (event.type !== "keydown") return true;
    const control = event.ctrlKey && !event.altKey && !event.metaKey;
    const key = event.key.toLowerCase();
    if (control && event.shiftKey && key === "f") {
      event.preventDefault();
      this.onFind();
      return false;
    }
    if (control && key === "c" && (event.shiftKey || this.#term.hasSelection())) {
      if (!this.#term.hasSelection()) return true;
      void navigator.clipboard?.writeText(this.selection);
      this.#term.clearSelection();
      event.preventDefault();
      return false;
    }
    // Returning false without preventing it leaves the browser's own paste event, which xterm takes up.
    return !(control && key === "v");
  }
}

/** Where a line of the screen has a text (in small letters), in cells: a wide character takes two. */
function cellsOf(line: IBufferLine, wanted: string): { column: number; length: number } | undefined {
  let text = "";
  const columns: number[] = [];
  for (let column = 0; column < line.length; column++) {
    const cell = line.getCell(column);
    if (!cell?.getWidth()) continue;
    const chars = (cell.getChars() || " ").toLowerCase();
    columns.push(...Array.from({ length: chars.length }, () => column));
    text += chars;
  }
  const at = text.indexOf(wanted);
  if (at < 0) return undefined;
  return { column: columns[at]!, length: (columns[at + wanted.length] ?? line.length) - columns[at]! };
}
