import { finished, Readable } from 'node:stream';
import { ReadableStream, TransformStream } from 'node:stream/web';
import { StreamableFile } from '@nestjs/common';
import { isAsyncIterable, iterableWithin } from './held-iterable.js';
import { type OpenRun, quietly } from './open-run.js';

/** Whether a value is one that goes on: what an HTTP response may be streamed from. */
export function isBody(value: unknown): boolean {
  return value instanceof StreamableFile || isAsyncIterable(value);
}

/** The value; if it goes on, one that keeps the run open until it has ended. */
export function holdBody(run: OpenRun, value: unknown): unknown {
  if (value instanceof StreamableFile) {
    holdReadable(run, value.getStream());
    return value;
  }
  if (value instanceof Readable) {
    holdReadable(run, value);
    return value;
  }
  if (value instanceof ReadableStream) return webStreamWithin(run, value);
  return isAsyncIterable(value) ? iterableWithin(run, value) : value;
}

function holdReadable(run: OpenRun, stream: Readable): void {
  const leave = run.enter();
  const lose = (): void => void stream.destroy(run.lossSignal?.reason as Error);
  run.lossSignal?.addEventListener('abort', lose, { once: true });
  // Also keeps listening for errors, so that the loss does not end the process when nobody reads the stream.
  finished(stream, { writable: false }, () => {
    run.lossSignal?.removeEventListener('abort', lose);
    void quietly(leave);
  });
}

function webStreamWithin(run: OpenRun, stream: ReadableStream): ReadableStream {
  const leave = run.enter();
  const { readable, writable } = new TransformStream<unknown, unknown>();
  const ended = stream.pipeTo(writable, run.lossSignal === undefined ? {} : { signal: run.lossSignal });
  // The reader of the other end is told how it ended.
  void ended.catch(() => undefined).then(() => quietly(leave));
  return readable;
}
