import { type TcpDirection } from './tcp-direction.js';

/** What a side of a connection does: says something, has no more to say, or is gone. */
export type Act = Buffer | 'end' | 'reset';

/** What is on its way from one side of a connection to the other. */
export class TcpStream {
  private onTheWay: { readonly act: Act; readonly since: number }[] = [];
  heldUp = false;
  private broken = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly direction: TcpDirection,
    private readonly deliver: (act: Act) => void,
  ) {}

  push(act: Act): void {
    this.onTheWay.push({ act, since: performance.now() });
    this.flow();
  }

  flow(): void {
    clearTimeout(this.timer);
    if (this.heldUp) return;
    for (let first = this.onTheWay[0]; first !== undefined; first = this.onTheWay[0]) {
      const waitMs = first.since + this.direction.delayMs - performance.now();
      if (waitMs > 0) {
        if (waitMs < Infinity) this.timer = setTimeout(() => this.flow(), waitMs);
        return;
      }
      this.onTheWay.shift();
      this.arrive(first.act);
    }
  }

  stop(): void {
    clearTimeout(this.timer);
    this.onTheWay = [];
    this.direction.forget(this);
  }

  private arrive(act: Act): void {
    if (this.broken) {
      if (act instanceof Buffer) this.direction.swallowed += 1;
      return;
    }
    const fate = this.direction.fate(act);
    this.broken = fate === 'lost with all that follows';
    if (fate === 'delivered') this.deliver(act);
  }
}
