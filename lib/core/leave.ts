import { type Answer, isPending, whenAnswered } from './answer.js';
import { backoffMs } from './backoff.js';
import { type Claim } from './backend.js';
import { type Context, shorten, track } from './context.js';
import { isLockError } from './errors.js';
import { inTime, PATIENCE_MS } from './in-time.js';

/** true: it left. false: it was no longer in line. undefined: not known yet; it is tried again in the background. */
export type Left = boolean | undefined;

export interface LeavingClaim {
  readonly key: string;
  readonly id: string;
  readonly leaseMs: number;
  readonly claim: Claim;
}

/**
 * Takes a claim out of its line and answers after the first try. If that failed, it goes on trying until it is certain,
 * pointless, or the claim's lease has ended anyway. A single try is not enough: whatever lost the last reply is likely
 * to lose the next call, too.
 */
export function leave(context: Context, leaving: LeavingClaim): Answer<Left> {
  const goneBy = context.clock.now() + leaving.leaseMs;
  return whenAnswered(withdraw(context, leaving), (left) => {
    if (left === undefined) track(context, keepTrying(context, leaving, goneBy));
    return left === 'pointless' ? undefined : left;
  });
}

async function keepTrying(context: Context, leaving: LeavingClaim, goneBy: number): Promise<void> {
  const { clock, timers } = context;
  for (let failures = 1; clock.now() < goneBy && !context.closed; failures += 1) {
    const pauseMs = backoffMs(context, failures);
    await new Promise<void>((resolve) => void timers.set(clock.now() + pauseMs, true, resolve));
    if ((await withdraw(context, leaving)) !== undefined) return;
  }
}

function withdraw(context: Context, { key, id, leaseMs, claim }: LeavingClaim): Answer<Left | 'pointless'> {
  const left = inTime(context, Math.min(leaseMs, PATIENCE_MS), () => claim.withdraw());
  if (!isPending(left)) return left;
  return left.catch((error: unknown) => {
    if (context.events.wanted) context.events.emit({ type: 'release-failed', key, claim: shorten(id), error });
    return isLockError(error) ? 'pointless' : undefined;
  });
}
