import { type Entry } from '../history.js';
import { timesForgotten } from './forgetting.js';

type Grant = Entry<'given'>;

/**
 * The locks that were held when they were given, key by key, in order. Without those whose claim was on its way when the
 * store forgot: they may have been granted before others whose answers overtook theirs.
 */
export function grantsByKey(history: readonly Entry[]): Map<string, Grant[]> {
  const forgotten = timesForgotten(history);
  const askedAt = new Map<string, number>();
  const keys = new Map<string, Grant[]>();
  for (const entry of history) {
    if (entry.event === 'asked') askedAt.set(entry.caller, entry.at);
    if (entry.event !== 'given' || !entry.held) continue;
    if (forgotten.some((when) => askedAt.get(entry.caller)! <= when && when <= entry.at)) continue;
    keys.set(entry.key, [...(keys.get(entry.key) ?? []), entry]);
  }
  return keys;
}
