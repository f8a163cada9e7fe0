// <dd-style>: a stand-in for <style> that a strict Content-Security-Policy allows.
//
// The build points xterm.js and CodeMirror here. Text given to the element becomes a constructable style
// sheet, adopted while the element is in the document.

class SheetElement extends HTMLElement {
  readonly #sheet = new CSSStyleSheet();
  #text = "";

  override get textContent(): string {
    return this.#text;
  }

  override set textContent(text: string | null) {
    this.#text = text ?? "";
    this.#sheet.replaceSync(this.#text);
  }

  connectedCallback(): void {
    if (!document.adoptedStyleSheets.includes(this.#sheet)) {
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, this.#sheet];
    }
  }

  disconnectedCallback(): void {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== this.#sheet);
  }
}

customElements.define("dd-style", SheetElement);

export {};
