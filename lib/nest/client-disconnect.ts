import { type ExecutionContext, HttpException } from '@nestjs/common';
import { type Leaver } from './locked-call.js';

/** What of the HTTP response of Node is needed. */
interface RawResponse {
  readonly destroyed?: boolean;
  readonly writableFinished?: boolean;
  once?(event: 'close', listener: () => void): unknown;
  removeListener?(event: 'close', listener: () => void): unknown;
}

/** As nginx logs it. */
const CLIENT_CLOSED_REQUEST = 499;

/** Leaves when the client of an HTTP request does; undefined where there is no such client. */
export function onDisconnect(context: ExecutionContext): Leaver | undefined {
  if (context.getType() !== 'http') return undefined;
  const response = context.switchToHttp().getResponse<(RawResponse & { readonly raw?: RawResponse }) | undefined>();
  const raw = response?.raw ?? response;
  if (typeof raw?.once !== 'function') return undefined;
  return (leave) => {
    const closed = (): void => {
      // An HttpException, because Nest would log anything else as an error.
      if (!raw.writableFinished) leave(new HttpException('The client closed the request', CLIENT_CLOSED_REQUEST));
    };
    if (raw.destroyed) closed();
    else raw.once?.('close', closed);
    return () => raw.removeListener?.('close', closed);
  };
}
