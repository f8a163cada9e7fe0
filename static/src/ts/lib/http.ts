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

export async function request<T>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRFToken"] = token();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(url, {
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
  return data as T;
}
