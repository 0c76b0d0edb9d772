import { type ArgumentsHost, Catch, Inject, Logger } from '@nestjs/common';
import { BaseExceptionFilter, ModulesContainer } from '@nestjs/core';
import { type Observable, throwError } from 'rxjs';
import { isLockError, type LockError } from '../core/errors.js';
import { checkedAnswer, type LockErrorAnswer, usualAnswer } from './lock-error.answer.js';
import { graphqlErrorOf, httpExceptionOf, reportOf, sendException } from './lock-error.transports.js';
import { importedLockModules } from './lock-modules.js';

/** `@Catch` asks with instanceof, which fails for the errors of another copy of this package. */
class AnyLockError {
  static [Symbol.hasInstance](error: unknown): boolean {
    return isLockError(error);
  }
}

/**
 * Answers whoever called for lock errors, and for nothing else; LockModule registers it.
 *
 * | error | HTTP status | to be tried again after |
 * | --- | --- | --- |
 * | LockUnavailableError | 423 Locked | as long as it was waited for, at least 1 second |
 * | LockBackendError | 503 Service Unavailable | 1 second |
 * | LockLostError | 500: the work may have been done, so nobody is invited to repeat it | |
 * | LockReentrancyError, LockConfigError | 500 | |
 *
 * Each transport says the same in its way, and the option `answerError` of LockModule changes it for all of them:
 *
 * | called by | is answered |
 * | --- | --- |
 * | HTTP | `{ statusCode, message, code }`, and `Retry-After` |
 * | RPC | `{ status: 'error', code, message, retryAfterSeconds }` |
 * | WebSockets | an `exception` event with the same, and as `cause` the message that it answers |
 * | GraphQL | an error with `extensions: { code, retryAfterSeconds }` |
 *
 * Anything else fails with the error itself. A backend that could not be asked is logged as a warning, whatever else is not
 * mere contention as an error. Contention in RPC is logged as a warning, too: an event has nobody to be answered.
 *
 * Nest applies no global filter to gateways, nor to the microservices of a hybrid application unless they are connected
 * with `inheritAppConfig: true`: there it takes `@UseFilters(LockErrorFilter)`. To fields of GraphQL it applies filters
 * with `fieldResolverEnhancers: ['filters']` only. A filter of the application's own goes first when it is bound to the
 * controller or by `app.useGlobalFilters`.
 */
@Catch(AnyLockError)
export class LockErrorFilter extends BaseExceptionFilter {
  private readonly log = new Logger(LockErrorFilter.name);

  constructor(@Inject(ModulesContainer) private readonly modules: ModulesContainer) {
    super();
  }

  override catch(error: LockError, host: ArgumentsHost): Observable<never> | void {
    const type = host.getType<string>();
    // Nest throws the error on, and logs it.
    if (!['http', 'rpc', 'ws', 'graphql'].includes(type)) return undefined;
    this.logWhatMatters(error, type);
    const answer = this.answerTo(error);
    switch (type) {
      case 'http':
        return this.answerHttp(error, answer, host);
      case 'rpc':
        return throwError(() => reportOf(answer));
      case 'ws':
        return sendException(host, reportOf(answer));
      case 'graphql':
        throw graphqlErrorOf(answer, error);
    }
  }

  private answerHttp(error: LockError, answer: LockErrorAnswer, host: ArgumentsHost): void {
    const adapter = this.httpAdapterHost?.httpAdapter;
    const response: unknown = host.getArgByIndex(1);
    if (answer.retryAfterSeconds !== undefined && adapter?.isHeadersSent(response) === false) {
      adapter.setHeader(response, 'Retry-After', String(answer.retryAfterSeconds));
    }
    super.catch(httpExceptionOf(answer, error), host);
  }

  private answerTo(error: LockError): LockErrorAnswer {
    const usual = usualAnswer(error);
    const [own] = importedLockModules(this.modules).flatMap(({ options }) => options.answerError ?? []);
    try {
      const answer = own?.(error, usual);
      return answer === undefined ? usual : checkedAnswer(answer);
    } catch (mistake) {
      // Thrown from a filter it would end the process.
      this.log.error(mistake);
      return usual;
    }
  }

  private logWhatMatters(error: LockError, type: string): void {
    // A backend that is down, or a server that closes, fails every request alike: where it was thrown tells nothing.
    if (error.code === 'LOCK_BACKEND') this.log.warn(error.message);
    else if (error.code !== 'LOCK_UNAVAILABLE') this.log.error(error);
    // From here an event, which has nobody to be told, looks like a message.
    else if (type === 'rpc') this.log.warn(error.message);
  }
}
