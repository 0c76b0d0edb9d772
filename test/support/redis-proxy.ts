import { createHash } from 'node:crypto';
import { type Protocol, TcpProxy } from './tcp-proxy.js';

/** In front of a Redis server: what its switches count and match is requests, replies and pushes, each as a whole. */
export function startRedisProxy(server: { readonly port: number }): Promise<TcpProxy> {
  return TcpProxy.start(server.port, resp);
}

/** Requests with a claim that asks so, as `calls.lua` knows it: a pattern for `+`, `?`, `=` or `-`. */
export function asks(verb: string): (request: Buffer) => boolean {
  const call = new RegExp(`\\r\\n${verb}(?:\\d+(?:@\\w*)? )?\\d+:\\d+:`);
  return (request) => call.test(request.toString('latin1'));
}

/** Requests that run a script, by its text or by its digest: clients send its text once in a connection or a server. */
export function runs(lua: string): (request: Buffer) => boolean {
  const digest = createHash('sha1').update(lua).digest('hex');
  return (request) => request.includes(digest) || request.includes(lua);
}

/** What a subscriber is sent. */
export function isPush(message: Buffer): boolean {
  return /^[>*]\d+\r\n\$\d+\r\n[ps]?message\r\n/.test(message.toString('latin1', 0, 40));
}

const resp: Protocol = { endOfMessage: (bytes) => endOfValue(bytes, 0), answers: (message) => !isPush(message) };

/** Where a value of RESP 2 or 3 that begins at `start` ends; undefined: beyond these bytes. */
function endOfValue(bytes: Buffer, start: number): number | undefined {
  const line = bytes.indexOf('\r\n', start);
  if (line === -1) return undefined;
  let end: number | undefined = line + 2;
  const type = String.fromCharCode(bytes[start]!);
  const size = Number(bytes.toString('latin1', start + 1, line));
  if ('$=!'.includes(type) && size >= 0) end += size + 2;
  // A map has two values per entry, and what is annotated follows its attributes.
  const values = '*~>'.includes(type) ? size : '%|'.includes(type) ? size * 2 + (type === '|' ? 1 : 0) : 0;
  for (let index = 0; index < values && end !== undefined; index += 1) end = endOfValue(bytes, end);
  return end !== undefined && end <= bytes.length ? end : undefined;
}
