// HTTP with this service: JSON, streams of server-sent events, and the API key where one is asked for.

const KEY = "tidemill.key";

/** An answer that is no success: `status`, the server's message, and the seconds after which to try again. */
export class Refused extends Error {
  constructor(status, message, retryAfter) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export function useKey(key) {
  sessionStorage.setItem(KEY, key);
}

async function request(path, options = {}) {
  const headers = { ...options.headers };
  const key = sessionStorage.getItem(KEY);
  if (key) headers.Authorization = `Bearer ${key}`;
  const response = await fetch(path, { ...options, headers });
  if (!response.ok) {
    const body = await response.json().catch(() => ({}));
    const message = body.error?.message ?? `${path} answered with status ${response.status}`;
    throw new Refused(response.status, message, Number(response.headers.get("Retry-After") ?? 0));
  }
  return response;
}

export async function post(path, body, signal) {
  const response = await request(path, { ...json(body), signal });
  return response.json();
}

/** Posts, or gets where there is no body, and yields the data of each event as text. */
export async function* events(path, body, signal, headers = {}) {
  const options = body ? json(body) : {};
  const response = await request(path, { ...options, headers: { ...options.headers, ...headers }, signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    buffer += value;
    const parts = buffer.split("\n\n");
    buffer = parts.pop();
    for (const part of parts) {
      const data = part.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart());
      if (data.length) yield data.join("\n");
    }
  }
}

function json(body) {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}
