import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { Guard } from '../support/guard.js';
import { MovableClock } from '../support/movable-clock.js';
import { until } from '../support/until.js';
import { type Link } from './link.js';
import { type Order, type Work } from './work.js';

/** A process of its own, with a clock and a link to the servers of its own. It ends with ours. */
export class Worker {
  /** How it ended, if it did without being told to. */
  crash: string | undefined;
  private readonly said = new Set<unknown>();
  private killed = false;
  /** One that is stopped would not notice that we are gone. */
  private readonly guard: Guard;
  private gone: Promise<void> | undefined;

  private constructor(
    readonly work: Work,
    readonly link: Link,
    readonly clock: MovableClock,
    private readonly child: ChildProcess,
  ) {
    child.on('message', (message) => this.said.add(message));
    this.guard = new Guard(child.pid!, dirname(clock.env['CLOCK_OFFSET_FILE']!));
    child.on('exit', () => this.guard.forgetProcess());
    child.on('exit', (code, signal) => {
      if (!this.killed && code !== 0) this.crash = `${work.name} ended by itself: ${signal ?? `exit ${code}`}`;
    });
  }

  /** `program`: the JavaScript of worker.process.ts. */
  static async start(program: string, work: Work, link: Link): Promise<Worker> {
    const clock = new MovableClock();
    const child = fork(program, [JSON.stringify(work)], { env: { ...process.env, ...clock.env } });
    const worker = new Worker(work, link, clock, child);
    await until(`${work.name} is ready`, () => worker.said.has('ready') || worker.crash !== undefined, 60_000);
    if (worker.crash !== undefined) throw new Error(`${worker.crash} before it was ready`);
    return worker;
  }

  get name(): string {
    return this.work.name;
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  pause(): void {
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  /** Its event loop stands still, though the process does not. */
  block(forMs: number): void {
    this.order({ type: 'block', forMs });
  }

  /** Resolves when it has had every key once more, and has ended. */
  async settles(withinMs: number): Promise<void> {
    this.order({ type: 'settle' });
    await until(`${this.name} is served`, () => this.said.has('settled') || !this.alive, withinMs);
  }

  kill(): Promise<void> {
    this.gone ??= this.end();
    return this.gone;
  }

  private async end(): Promise<void> {
    if (this.alive) {
      this.killed = true;
      this.child.kill('SIGKILL');
      await once(this.child, 'exit');
    }
    this.link.close();
    this.clock.remove();
    await this.guard.dismiss();
  }

  private order(order: Order): void {
    if (this.child.connected) this.child.send(order, () => undefined);
  }
}
