export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Headers;
}

/** Sends JSON and reads JSON. Gives up in the end. */
export async function send(method: string, url: string, content?: object): Promise<Answer> {
  const json = content && { body: JSON.stringify(content), headers: { 'content-type': 'application/json' } };
  const response = await fetch(url, { method, signal: AbortSignal.timeout(30_000), ...json });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text), headers: response.headers };
}
