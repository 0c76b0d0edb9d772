import { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';

/** A request as Express or Fastify hands it out. */
export type FrameworkRequest = IncomingMessage & {
  readonly raw?: IncomingMessage;
  readonly originalUrl?: string;
  readonly query?: unknown;
  readonly body?: unknown;
};

/** A response as Express or Fastify hands it out. */
export type FrameworkResponse = ServerResponse & { readonly raw?: ServerResponse; hijack?(): void };

const HEADERS: OutgoingHttpHeaders = {
  // Nothing from elsewhere, nothing inline, and in no frame, where a click could be led astray.
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  // no-transform: a middleware that compresses would hold events back.
  'cache-control': 'no-store, no-transform',
};

/** The response of Node itself, which the framework leaves to us, with the headers of all our answers. */
export function takeOver(response: FrameworkResponse): ServerResponse {
  response.hijack?.();
  const raw = response.raw ?? response;
  for (const [name, value] of Object.entries(HEADERS)) raw.setHeader(name, value as string);
  return raw;
}

export function send(response: FrameworkResponse, status: number, type: string, body: string | Buffer): void {
  const raw = takeOver(response);
  raw.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  raw.end(body);
}

export function sendJson(response: FrameworkResponse, status: number, body: object): void {
  send(response, status, 'application/json; charset=utf-8', JSON.stringify(body));
}
