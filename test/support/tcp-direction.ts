import { type Act, TcpStream } from './tcp-stream.js';

type Matches = (message: Buffer) => boolean;

/** One direction of all connections of a proxy: its switch, which a test turns at any time, and its counters. */
export class TcpDirection {
  messages = 0;
  bytes = 0;
  /** Messages that did not get through. */
  swallowed = 0;
  delayMs = 0;
  private drops: Matches | undefined;
  private silent = false;
  private readonly streams = new Set<TcpStream>();

  /** Lets through what comes, and what was held back. */
  pass(): void {
    this.turn({});
  }

  /** Everything arrives so much later, in order. Infinity: when the switch is turned again. */
  delay(delayMs: number): void {
    this.turn({ delayMs });
  }

  /** What is sent on connections that are open now arrives when the switch is turned again. New ones overtake them. */
  holdUpOpenStreams(): void {
    for (const stream of this.streams) stream.heldUp = true;
  }

  /**
   * Nothing gets through, and nobody is told, not even that the other side is gone. A connection that lost something so
   * is lost for good: TCP delivers nothing behind a gap. New ones are accepted, in silence.
   */
  blackHole(): void {
    this.turn({ silent: true });
  }

  /** Swallows what matches. Nothing that is awaited: the next reply would be taken for it. */
  drop(drops: Matches): void {
    this.turn({ drops });
  }

  stream(deliver: (act: Act) => void): TcpStream {
    const stream = new TcpStream(this, deliver);
    this.streams.add(stream);
    return stream;
  }

  forget(stream: TcpStream): void {
    this.streams.delete(stream);
  }

  fate(act: Act): 'delivered' | 'swallowed' | 'lost with all that follows' {
    const message = act instanceof Buffer;
    const fate = this.silent ? 'lost with all that follows' : message && this.drops?.(act) ? 'swallowed' : 'delivered';
    if (message && fate === 'delivered') {
      this.messages += 1;
      this.bytes += act.length;
    } else if (message) {
      this.swallowed += 1;
    }
    return fate;
  }

  private turn({ delayMs = 0, drops, silent = false }: { delayMs?: number; drops?: Matches; silent?: boolean }): void {
    this.delayMs = delayMs;
    this.drops = drops;
    this.silent = silent;
    for (const stream of this.streams) {
      stream.heldUp = false;
      stream.flow();
    }
  }
}
