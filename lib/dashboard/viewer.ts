import { once } from 'node:events';
import { type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LockManager } from '../core/lock-manager.js';
import { Frames } from './frames.js';
import { type LockHistory } from './lock-history.js';
import { Survey } from './survey.js';
import { type View } from './view.js';

/** At most twice a second; and after a long frame a longer pause, so that no stream takes more than this on average. */
const LEAST_PAUSE_MS = 500;
const MOST_BYTES_PER_SECOND = 40_000;

/** Sends one viewer the frames of its view, as server-sent events, until either side hangs up. */
export class Viewer {
  private readonly left = new AbortController();

  constructor(
    private readonly response: ServerResponse,
    private readonly view: View,
    private readonly services: ReadonlyMap<string, LockManager>,
    private readonly history: LockHistory,
  ) {}

  async watch(): Promise<void> {
    const { response, left } = this;
    response.once('close', () => this.leave());
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
    response.write('retry: 2000\n\n');
    const survey = new Survey(this.services, this.view);
    const frames = new Frames(this.history, this.view.selected);
    while (!left.signal.aborted) {
      const startedAt = performance.now();
      const sight = await survey.look();
      const tookMs = performance.now() - startedAt;
      const text = `data: ${JSON.stringify(frames.next(sight, Date.now()))}\n\n`;
      await this.pass(text);
      const pauseMs = Math.max(LEAST_PAUSE_MS, tookMs, (Buffer.byteLength(text) / MOST_BYTES_PER_SECOND) * 1_000);
      await sleep(pauseMs, undefined, { signal: left.signal }).catch(() => undefined);
    }
  }

  leave(): void {
    this.left.abort();
    this.response.end();
  }

  /** A viewer who reads slowly gets less, and not all of it later. */
  private async pass(text: string): Promise<void> {
    const { response, left } = this;
    if (left.signal.aborted || response.write(text)) return;
    await once(response, 'drain', { signal: left.signal }).catch(() => undefined);
  }
}
