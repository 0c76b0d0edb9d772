import { Inject, Injectable, Logger } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { isLockError, LockConfigError } from '../core/errors.js';
import { type LockManager } from '../core/lock-manager.js';
import { getLockServiceToken, howToImport } from '../nest/lock-service.token.js';
import { LockService } from '../nest/lock.service.js';

/** Which lock service is asked, and for how long. */
export interface LockPing {
  /** The name of the lock service, where `LockModule` was given one. */
  readonly service?: string;
  /** How long an answer is waited for, in milliseconds. 1 000 where it is not given. */
  readonly timeoutMs?: number;
}

/**
 * Shared, so that the probes of all replicas are let in beside each other; and one for all, so that a process that dies leaves
 * nothing under a key that nobody asks for again.
 */
const PROBE_KEY = 'nestjs-locked:health';

/**
 * Tells terminus whether a lock service can give locks:
 * `health.check([() => locks.pingCheck('locks')])`. Provide it where TerminusModule is imported.
 *
 * It takes a lock and releases it, because a store that only answers questions gives no locks: a replica, one out of
 * memory, one whose password may only read. The lock is shared, and waits for nobody. It says nothing of other keys: who holds one for ever
 * is no matter of health.
 */
@Injectable()
export class LockHealthIndicator {
  private readonly logger = new Logger(LockHealthIndicator.name);

  constructor(
    @Inject(HealthIndicatorService) private readonly indicator: HealthIndicatorService,
    @Inject(ModuleRef) private readonly modules: ModuleRef,
  ) {}

  /**
   * `up` with the `latencyMs` of having a lock, and the `warnings` of the backend if it has any; `down` when the backend
   * could not be asked, gave no answer in `timeoutMs`, or the application is closing. The reason goes to the log, as it may
   * name servers. Settles within `timeoutMs`.
   *
   * @throws LockConfigError when there is no such lock service, or `timeoutMs` is none.
   */
  async pingCheck<const Key extends string>(
    key: Key,
    { service, timeoutMs = 1_000 }: LockPing = {},
  ): Promise<HealthIndicatorResult<Key>> {
    if (typeof timeoutMs !== 'number' || !(timeoutMs > 0 && timeoutMs <= 2 ** 31 - 1)) {
      throw new LockConfigError('timeoutMs must be a number of milliseconds, more than 0');
    }
    const locks = this.serviceOf(service);
    const { name: backend } = locks.backend;
    const session = this.indicator.check(key);
    try {
      const latencyMs = await inTime(timeoutMs, (signal) => probe(locks, signal));
      const { warnings = [] } = locks.backend;
      return session.up({ backend, latencyMs, ...(warnings.length > 0 && { warnings }) });
    } catch (error) {
      const late = error instanceof LateError;
      this.logger.warn(late || isLockError(error) ? error.message : error);
      return session.down({
        backend,
        message: late ? error.message : 'the backend could not be asked, or the application is closing',
      });
    }
  }

  private serviceOf(name: string | undefined): LockManager {
    const token = getLockServiceToken(name);
    try {
      return this.modules.get<LockService>(token, { strict: false });
    } catch (error) {
      throw new LockConfigError(
        `LockHealthIndicator has no lock service '${name ?? 'default'}': import ${howToImport(name ?? 'default')}`,
        undefined,
        { cause: error },
      );
    }
  }
}

class LateError extends Error {}

/** How long it took to have a lock. */
async function probe(locks: LockManager, signal: AbortSignal): Promise<number> {
  const askedAt = performance.now();
  // null: somebody has the key to itself. That was an answer.
  const lock = await locks.tryAcquire(PROBE_KEY, { mode: 'shared', signal, site: LockHealthIndicator.name });
  const latencyMs = performance.now() - askedAt;
  await lock?.release();
  return Math.round(latencyMs * 100) / 100;
}

async function inTime<T>(timeoutMs: number, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new LateError(`no answer within ${timeoutMs} ms`);
      reject(error);
      // The lock is wanted no longer, should it still come.
      late.abort(error);
    }, timeoutMs);
  });
  try {
    return await Promise.race([ask(late.signal), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
