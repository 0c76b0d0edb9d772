import { type ArgumentsHost, HttpException } from '@nestjs/common';
import { type LockErrorAnswer } from './lock-error.answer.js';

// Plain objects and Errors: what the companion packages of Nest do with their own exceptions, without needing any of them.

/** As Nest answers HTTP. `Retry-After` is a header, and so not in it. */
export function httpExceptionOf({ status, code, message, details }: LockErrorAnswer, cause: Error): HttpException {
  return new HttpException({ statusCode: status, message, code, ...details }, status, { cause });
}

/** As a client of a microservice gets it, and in the `exception` event of a gateway: like an RpcException or a WsException. */
export interface ErrorReport {
  readonly status: 'error';
  readonly code: string;
  readonly message: string;
  readonly retryAfterSeconds?: number;
  readonly [detail: string]: unknown;
}

export function reportOf({ code, message, retryAfterSeconds, details }: LockErrorAnswer): ErrorReport {
  return { code, message, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }), ...details, status: 'error' };
}

/** An error of a GraphQL resolver: its servers send `message` and `extensions` of whatever is thrown. */
export function graphqlErrorOf({ code, message, retryAfterSeconds, details }: LockErrorAnswer, cause: Error): Error {
  const extensions = { code, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }), ...details };
  return Object.assign(new Error(message, { cause }), { extensions });
}

interface WebSocketClient {
  readonly readyState?: number;
  send?(message: string): void;
  emit?(event: string, data: unknown): void;
}

/** Sends the client of a gateway an `exception` event. Like Nest's own it says which message it answers. */
export function sendException(host: ArgumentsHost, report: ErrorReport): void {
  const ws = host.switchToWs();
  const client = ws.getClient<WebSocketClient | undefined>();
  const data = { cause: { pattern: ws.getPattern(), data: ws.getData<unknown>() }, ...report };
  // A plain WebSocket has `emit`, too, but that one only calls listeners on this side.
  if (typeof client?.readyState === 'number') client.send?.(JSON.stringify({ event: 'exception', data }));
  else client?.emit?.('exception', data);
}
