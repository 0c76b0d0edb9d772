import { type IncomingHttpHeaders } from 'node:http';

/**
 * Whether a request that changes something was sent by a page of this very origin, as far as browsers tell. What says nothing
 * of where it comes from is refused as well: every browser that can show the page says it.
 */
export function isSameOrigin({ 'sec-fetch-site': site, origin, host }: IncomingHttpHeaders): boolean {
  // Only the browser can set it, and it knows the origin that it sees, whatever a proxy makes of the host.
  if (site !== undefined) return site === 'same-origin';
  // Over plain HTTP from another machine it does not come, and the origin does.
  return origin !== undefined && host !== undefined && hostOf(origin) === host;
}

/** What a form of another page cannot send without being asked for leave first. */
export function isJson({ 'content-type': type = '' }: IncomingHttpHeaders): boolean {
  return /^application\/json\s*(;|$)/i.test(type);
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
