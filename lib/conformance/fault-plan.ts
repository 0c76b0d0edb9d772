import { seededChance } from './chance.js';

/** What can be asked of a backend, and what it says of itself. */
export type FaultyMethod = 'attempt' | 'renew' | 'withdraw' | 'inspect' | 'evict' | 'wake';

/** One call that passes through a {@link FaultyBackend}. */
export interface FaultyCall {
  readonly method: FaultyMethod;
  readonly key: string;
  /** Of the claim; empty for `inspect`. */
  readonly id: string;
}

/**
 * What becomes of a call.
 *
 * - `'fail'`: it rejects, and was not executed.
 * - `'lose-reply'`: it is executed, and rejects.
 * - `'no-reply'`: it is executed, and never settles.
 * - `'hang'`: it is not executed, and never settles.
 * - `'duplicate'`: it is executed twice; the first answer counts.
 * - `{ delayMs }`: it is executed so much later.
 * - `{ replyDelayMs }`: it is executed, and its answer comes so much later.
 *
 * A wake can be late or duplicate, too. Every other fault drops it.
 */
export type Fault =
  | 'fail'
  | 'lose-reply'
  | 'no-reply'
  | 'hang'
  | 'duplicate'
  | { readonly delayMs: number }
  | { readonly replyDelayMs: number };

/** Decides, call by call, in the order in which the calls are made. */
export type FaultPlan = (call: FaultyCall) => Fault | undefined;

/** Every call passes. */
export const noFaults: FaultPlan = () => undefined;

/** The fault for every call of these methods. */
export function always(methods: FaultyMethod | readonly FaultyMethod[], fault: Fault): FaultPlan {
  const affected = new Set([methods].flat());
  return ({ method }) => (affected.has(method) ? fault : undefined);
}

/** The fault for the first so many calls of the method. */
export function first(count: number, method: FaultyMethod, fault: Fault): FaultPlan {
  let left = count;
  return (call) => (call.method === method && --left >= 0 ? fault : undefined);
}

/** How likely each fault is for one call, from 0 to 1; none where it is not given. */
export interface FaultRates {
  readonly fail?: number;
  readonly loseReply?: number;
  readonly duplicate?: number;
  readonly delay?: number;
  /** The longest delay. 20 ms where it is not given. */
  readonly maxDelayMs?: number;
  /** Of a wake. */
  readonly drop?: number;
}

/** Faults by chance: the same for the same seed and the same calls. */
export function randomFaults(seed: number, rates: FaultRates): FaultPlan {
  const { fail = 0, loseReply = 0, duplicate = 0, delay = 0, maxDelayMs = 20, drop = 0 } = rates;
  const chance = seededChance(seed);
  return ({ method }) => {
    let drawn = chance();
    const delayMs = Math.ceil(chance() * maxDelayMs);
    if (method === 'wake') return drawn < drop ? 'fail' : undefined;
    if ((drawn -= fail) < 0) return 'fail';
    if ((drawn -= loseReply) < 0) return 'lose-reply';
    if ((drawn -= duplicate) < 0) return 'duplicate';
    return drawn < delay ? { delayMs } : undefined;
  };
}
