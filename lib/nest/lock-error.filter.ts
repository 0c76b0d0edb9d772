import { type ArgumentsHost, Catch, type HttpException, Inject, Logger } from '@nestjs/common';
import { BaseExceptionFilter, ModulesContainer } from '@nestjs/core';
import { type Observable, throwError } from 'rxjs';
import { isLockError, type LockError } from '../core/errors.js';
import { answerTo, retryAfterSeconds, toHttpException } from './lock-error.answer.js';
import { importedLockModules } from './lock-modules.js';

/** `@Catch` asks with instanceof, which fails for the errors of another copy of this package. */
class AnyLockError {
  static [Symbol.hasInstance](error: unknown): boolean {
    return isLockError(error);
  }
}

/**
 * Answers clients for lock errors, and for nothing else; LockModule registers it.
 *
 * | error | HTTP status | Retry-After |
 * | --- | --- | --- |
 * | LockUnavailableError | 423 Locked | as long as it was waited for, at least 1 second |
 * | LockBackendError | 503 Service Unavailable | 1 second |
 * | LockLostError | 500: the work may have been done, so nobody is invited to repeat it | |
 * | LockReentrancyError, LockConfigError | 500 | |
 *
 * The body is `{ statusCode, message, code }`; the option `toHttpException` of LockModule replaces status and body. RPC
 * handlers answer `{ status: 'error', code, message }`, GraphQL resolvers fail with the error itself. A backend that
 * could not be asked is logged as a warning, whatever else is not mere contention as an error.
 *
 * Nest applies no global filter to gateways: there, `@UseFilters(LockErrorFilter)` has an `exception` event sent with the
 * same as in RPC. A filter of the application's own goes first when it is bound to the controller or by
 * `app.useGlobalFilters`.
 */
@Catch(AnyLockError)
export class LockErrorFilter extends BaseExceptionFilter {
  private readonly log = new Logger(LockErrorFilter.name);

  constructor(@Inject(ModulesContainer) private readonly modules: ModulesContainer) {
    super();
  }

  override catch(error: LockError, host: ArgumentsHost): Observable<never> | void {
    switch (host.getType<string>()) {
      case 'http':
        return this.answerHttp(error, host);
      case 'rpc':
        return throwError(() => this.report(error));
      case 'ws':
        return emit(host.switchToWs().getClient(), this.report(error));
      default:
        // Nest throws the error on, and logs it.
        return undefined;
    }
  }

  private answerHttp(error: LockError, host: ArgumentsHost): void {
    const adapter = this.httpAdapterHost?.httpAdapter;
    const response: unknown = host.getArgByIndex(1);
    const retryAfter = retryAfterSeconds(error);
    if (retryAfter !== undefined && adapter?.isHeadersSent(response) === false) {
      adapter.setHeader(response, 'Retry-After', String(retryAfter));
    }
    this.logUnlessContention(error);
    super.catch(this.toHttpException(error), host);
  }

  private toHttpException(error: LockError): HttpException {
    const [own] = importedLockModules(this.modules).flatMap(({ options }) => options.toHttpException ?? []);
    return own?.(error) ?? toHttpException(error);
  }

  private report(error: LockError): Report {
    this.logUnlessContention(error);
    return { status: 'error', code: error.code, message: answerTo(error).message };
  }

  private logUnlessContention(error: LockError): void {
    // A backend that is down, or a server that closes, fails every request alike: where it was thrown tells nothing.
    if (error.code === 'LOCK_BACKEND') this.log.warn(error.message);
    else if (error.code !== 'LOCK_UNAVAILABLE') this.log.error(error);
  }
}

interface Report {
  readonly status: 'error';
  readonly code: string;
  readonly message: string;
}

interface WebSocketClient {
  readonly readyState?: number;
  send?(message: string): void;
  emit?(event: string, data: unknown): void;
}

function emit(client: WebSocketClient, report: Report): void {
  // A plain WebSocket has `emit`, too, but that one only calls listeners on this side.
  if (typeof client.readyState === 'number') client.send?.(JSON.stringify({ event: 'exception', data: report }));
  else client.emit?.('exception', report);
}
