import { type Entry } from '../history.js';
import { timesForgotten } from './forgetting.js';

type Grant = Entry<'given'>;

/**
 * The locks that were held when they were given, key by key, in order. Without those whose claim came in before the store
 * forgot: it may have been granted before others whose answers overtook its own, or have been handed on within its process
 * when others had been granted meanwhile.
 */
export function grantsByKey(history: readonly Entry[]): Map<string, Grant[]> {
  const forgotten = timesForgotten(history);
  const askedAt = new Map<string, number>();
  /** No earlier than that did it come in. */
  const cameInAt = new Map<string, number>();
  const keys = new Map<string, Grant[]>();
  for (const entry of history) {
    if (entry.event === 'asked') askedAt.set(entry.caller, entry.at);
    if (entry.event === 'answered' && entry.standing?.held) cameIn(entry.key, entry.standing.place, entry.sentAt);
    if (entry.event !== 'given' || !entry.held) continue;
    const place = entry.token >> 10n;
    cameIn(entry.key, place, askedAt.get(entry.caller)!);
    if (forgotten.some((when) => cameInAt.get(`${entry.key} ${place}`)! <= when && when <= entry.at)) continue;
    keys.set(entry.key, [...(keys.get(entry.key) ?? []), entry]);
  }
  return keys;

  function cameIn(key: string, place: bigint, at: number): void {
    const claim = `${key} ${place}`;
    if (!cameInAt.has(claim)) cameInAt.set(claim, at);
  }
}
