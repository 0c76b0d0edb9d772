import { type Frame } from '../../lib/dashboard/frames.js';
import { until } from '../support/until.js';

/** The frames of a stream, and how long they were. */
export class FrameStream {
  readonly frames: Frame[] = [];
  bytes = 0;
  ended = false;
  private constructor(private readonly stop: AbortController) {}

  static async open(url: string): Promise<FrameStream> {
    const stop = new AbortController();
    const response = await fetch(url, { signal: stop.signal });
    if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
    const stream = new FrameStream(stop);
    void stream.read(response.body!).finally(() => (stream.ended = true));
    return stream;
  }

  /** A frame that has come, or comes. */
  frame(what: string, isIt: (frame: Frame) => boolean): Promise<Frame> {
    return until(what, () => this.frames.find(isIt));
  }

  close(): void {
    this.stop.abort();
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let text = '';
    try {
      for await (const chunk of body) {
        this.bytes += chunk.length;
        text += decoder.decode(chunk, { stream: true });
        const messages = text.split('\n\n');
        text = messages.pop()!;
        for (const message of messages) {
          if (message.startsWith('data: ')) this.frames.push(JSON.parse(message.slice('data: '.length)) as Frame);
        }
      }
    } catch (error) {
      if (!this.stop.signal.aborted) throw error;
    }
  }
}
