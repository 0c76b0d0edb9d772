import 'reflect-metadata';
import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  mixin,
  type NestInterceptor,
  Optional,
  type Type,
} from '@nestjs/common';
import { type Observable } from 'rxjs';
import { LockConfigError } from '../core/errors.js';
import { type Keys, type LockManager } from '../core/lock-manager.js';
import { onDisconnect } from './client-disconnect.js';
import { heldObservable } from './held-observable.js';
import { getLockServiceToken, howToImport } from './lock-service.token.js';
import { LockedCall } from './locked-call.js';
import { type LockedOptions, type LockSignal, type OnBusy, optionsOfCall } from './locked.options.js';
import { readKeysOf, readOptions } from './locked.options.js';
import { isObservableClass } from './result-kind.js';

/**
 * An interceptor that runs the handler under a lock, for keys that only the ExecutionContext has:
 * `@UseInterceptors(LockInterceptor((context) => `cart:${context.switchToHttp().getRequest().user.id}`))`. Where the
 * arguments of the handler suffice, `@Locked` is simpler, and sees them validated.
 *
 * The lock is held until the handler's result has ended: promise, Observable, or a body that is streamed. An HTTP client
 * that disconnects while its request waits leaves the line; a handler that runs already is not disturbed. One that is
 * given up, as by a timeout, keeps the lock until it has answered; only if it declares to return an Observable is that
 * unsubscribed, and the lock released, at once.
 *
 * What the handler throws is passed on untouched. Besides, the request fails with what `LockManager.run` throws, and
 * with LockConfigError for a key that is none. The handler never runs without the lock.
 *
 * @throws LockConfigError when an option is out of range; at start-up, when there is no lock service for it.
 */
export function LockInterceptor(
  key: Keys | ((context: ExecutionContext) => Keys),
  options: LockedOptions<OnBusy, LockSignal<[context: ExecutionContext]>> = {},
): Type<NestInterceptor> {
  const read = readOptions('LockInterceptor', options);
  const fixedKeys = typeof key === 'function' ? undefined : readKeysOf('LockInterceptor', key);

  class KeyedLockInterceptor implements NestInterceptor {
    private readonly locks: LockManager;

    constructor(@Optional() @Inject(getLockServiceToken(read.service)) locks: LockManager | undefined) {
      if (locks === undefined) {
        throw new LockConfigError(
          `LockInterceptor has no lock service: import ${howToImport(read.service)} where its controller can see it`,
        );
      }
      this.locks = locks;
    }

    intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
      const handler = `${context.getClass().name}.${context.getHandler().name}`;
      const place = `LockInterceptor of ${handler}`;
      const keys = fixedKeys ?? readKeysOf(place, typeof key === 'function' ? key(context) : key);
      const ofCall = optionsOfCall(place, read, undefined, [context]);
      const run = { ...ofCall.run, site: options.site ?? handler };
      const call = new LockedCall(this.locks, keys, { ...ofCall, run }, onDisconnect(context));
      return heldObservable(call, () => next.handle(), { ofPromise: !declaresObservable(context) });
    }
  }
  return mixin(KeyedLockInterceptor);
}

function declaresObservable(context: ExecutionContext): boolean {
  const prototype = context.getClass().prototype as object;
  return isObservableClass(Reflect.getMetadata('design:returntype', prototype, context.getHandler().name));
}
