// Requests to our own endpoints: JSON in, JSON out, errors as sentences.
import { t } from "./i18n";

/** An answer that is not a success; its message is fit to be shown. */
export class RequestError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

function token(): string {
  return (
    document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ??
    document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]")?.value ??
    ""
  );
}

/** The page's token is another one by now: its reader has logged in, or become a guest. */
export function renew(token: string): void {
  document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.setAttribute("content", token);
}

async function send(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRFToken"] = token();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    return await fetch(url, {
      method,
      headers,
      credentials: "same-origin",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new RequestError(t("http.offline"), 0);
  }
}

async function read(response: Response): Promise<unknown> {
  let data: unknown = null;
  try {
    data = await response.json();
  } catch {
    // Not JSON: the status alone must do.
  }
  if (!response.ok) {
    const said = data && typeof data === "object" && "error" in data ? String(data.error) : "";
    throw new RequestError(said || t("http.failed", { status: response.status }), response.status);
  }
  return data;
}

export async function request<T>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  return (await read(await send(method, url, body, signal))) as T;
}

/** An answer in lines of JSON. Those for which `show` says that there are more are shown; the first other is the answer. */
export async function requestLines<T>(url: string, body: unknown, show: (line: object) => boolean): Promise<T> {
  const response = await send("POST", url, body);
  if (!response.ok || !response.body) return (await read(response)) as T;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const part = await reader.read().catch(() => ({ done: true, value: "" }));
    if (part.done) throw new RequestError(t("http.offline"), 0);
    const lines = (rest + part.value).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const data = JSON.parse(line) as object;
      if ("error" in data) throw new RequestError(String(data.error), response.status);
      if (!show(data)) return data as T;
    }
  }
}
