// <dd-terminal>: xterm.js on the tab's socket.
//
// The session lives in the host and outlasts the connection: on reconnect the server shows it again, so the
// screen is cleared first.
import { FitAddon } from "@xterm/addon-fit";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal, type ITheme } from "@xterm/xterm";
import { h } from "../lib/dom";
import { t } from "../lib/i18n";
import { emit, on } from "./page";
import { socket, type Line, type Message } from "./socket";

const REOPEN_MS = 400;
const SCROLLBACK = 5000;
const READER_KEY = "dd-reader";
/** The terminal that the page shows. */
const ID = "1";

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

class TerminalElement extends HTMLElement {
  readonly #term = new Terminal({
    fontFamily: "monospace",
    fontSize: 13.5,
    lineHeight: 1.25,
    theme: THEME,
    scrollback: SCROLLBACK,
    cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    minimumContrastRatio: 4.5,
    screenReaderMode: localStorage.getItem(READER_KEY) === "1",
    macOptionIsMeta: true,
  });
  readonly #fit = new FitAddon();
  readonly #state = h("span", { class: "line-state", role: "status" });
  readonly #again = h("button", { type: "button", class: "bar-button", hidden: true }, t("terminal.again"));
  #open = false;

  connectedCallback(): void {
    const screen = h("div", { class: "terminal-screen" });
    this.append(this.#bar(), screen);
    this.#term.loadAddon(this.#fit);
    this.#term.loadAddon(new WebLinksAddon());
    this.#term.open(screen);
    // Only once the font is here: the width of a cell is measured when the family changes.
    void document.fonts.load(`1em "Drydock Mono"`).finally(() => {
      this.#term.options.fontFamily = getComputedStyle(document.documentElement).getPropertyValue("--mono");
      this.#refit();
    });
    this.#term.textarea?.setAttribute("aria-label", t("terminal.label"));
    this.#term.onData((data) => this.#send({ type: "input", data }));
    this.#term.onResize(({ cols, rows }) => this.#send({ type: "resize", cols, rows }));
    this.#term.attachCustomKeyEventHandler((event) => this.#key(event));
    new ResizeObserver(() => this.#refit()).observe(screen);
    on("dd-run", ({ command }) => this.#run(command));
    this.#again.addEventListener("click", () => socket.again());
    socket.follow("terminal", {
      opened: () => socket.send({ ch: "terminal", id: ID, type: "open" }),
      message: (message) => this.#receive(message),
      bytes: (_id, data) => this.#term.write(data),
      line: (line, tries) => this.#line(line, tries),
    });
    this.#line("closed", 0);
  }

  override focus(): void {
    this.#term.focus();
  }

  #bar(): HTMLElement {
    const reader = h(
      "button",
      { type: "button", class: "bar-button", "aria-pressed": String(this.#term.options.screenReaderMode) },
      t("terminal.reader"),
    );
    reader.addEventListener("click", () => {
      const next = !this.#term.options.screenReaderMode;
      this.#term.options.screenReaderMode = next;
      localStorage.setItem(READER_KEY, next ? "1" : "0");
      reader.setAttribute("aria-pressed", String(next));
      this.#term.focus();
    });
    return h(
      "div",
      { class: "pane-bar pane-bar-dark" },
      h("h2", { class: "bar-title" }, t("terminal.title")),
      this.#state,
      this.#again,
      h("span", { class: "bar-space" }),
      h("span", { class: "bar-help" }, t("terminal.help")),
      reader,
    );
  }

  /** Ctrl-C copies when text is selected; Ctrl-V pastes; F6 leaves the terminal, since Tab belongs to the shell. */
  #key(event: KeyboardEvent): boolean {
    if (event.key === "F6") return false;
    if (event.type !== "keydown") return true;
    const control = event.ctrlKey && !event.altKey && !event.metaKey;
    if (control && event.key.toLowerCase() === "c" && (event.shiftKey || this.#term.hasSelection())) {
      if (!this.#term.hasSelection()) return true;
      void navigator.clipboard?.writeText(this.#term.getSelection());
      this.#term.clearSelection();
      event.preventDefault();
      return false;
    }
    // Returning false without preventing it leaves the browser's own paste event, which xterm takes up.
    return !(control && event.key.toLowerCase() === "v");
  }

  #run(command: string): void {
    emit("dd-show", { view: "terminal" });
    this.#term.focus();
    this.#term.paste(command);
    this.#send({ type: "input", data: "\r" });
  }

  #receive(message: Message): void {
    if (message.type === "opened") {
      this.#open = true;
      this.#term.reset();
      this.#term.options.disableStdin = false;
      this.#refit();
      this.#send({ type: "resize", cols: this.#term.cols, rows: this.#term.rows });
    } else if (message.type === "lost") {
      this.#shut();
      // The shell has ended, or its host is gone: the next one begins where this one is opened again.
      window.setTimeout(() => socket.send({ ch: "terminal", id: ID, type: "open" }), REOPEN_MS);
    } else if (message.type === "edit") emit("dd-open", { path: String(message.path) });
    else if (message.type === "file") emit("dd-file", { path: String(message.path) });
  }

  #line(line: Line, tries: number): void {
    if (line !== "connected") this.#shut();
    this.dataset.line = line;
    this.#state.textContent = t(`terminal.${line}`);
    this.#again.hidden = !(line === "reconnecting" && tries > 2);
  }

  #shut(): void {
    this.#open = false;
    this.#term.options.disableStdin = true;
  }

  #send(frame: { type: "input"; data: string } | { type: "resize"; cols: number; rows: number }): void {
    if (this.#open) socket.send({ ch: "terminal", id: ID, ...frame });
  }

  #refit(): void {
    // Hidden panes have no size; fitting to them would tell the shell that its screen is two columns wide.
    if (this.offsetWidth > 80 && this.offsetHeight > 40) this.#fit.fit();
  }
}

customElements.define("dd-terminal", TerminalElement);
