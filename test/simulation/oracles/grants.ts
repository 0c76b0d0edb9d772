import { type Entry } from '../history.js';
import { timesForgotten } from './forgetting.js';

type Grant = Entry<'given'>;

/**
 * The locks that were held when they were given, key by key, in order. Without those whose claim is from before the store
 * forgot: it may have been granted before others whose answers overtook its own, or have been handed on within its process
 * when others had been granted meanwhile.
 */
export function grantsByKey(history: readonly Entry[]): Map<string, Grant[]> {
  const forgotten = timesForgotten(history);
  const askedAt = new Map<string, number>();
  const claimedAt = new Map<string, number>();
  const keys = new Map<string, Grant[]>();
  for (const entry of history) {
    if (entry.event === 'asked') askedAt.set(entry.caller, entry.at);
    if (entry.event !== 'given' || !entry.held) continue;
    const claim = `${entry.key} ${entry.token >> 10n}`;
    if (!claimedAt.has(claim)) claimedAt.set(claim, askedAt.get(entry.caller)!);
    if (forgotten.some((when) => claimedAt.get(claim)! <= when && when <= entry.at)) continue;
    keys.set(entry.key, [...(keys.get(entry.key) ?? []), entry]);
  }
  return keys;
}
