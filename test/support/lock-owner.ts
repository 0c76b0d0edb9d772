import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Look, OwnerSays, Ownership } from './lock-owner.process.js';
import { until } from './until.js';

/** Another process, with a lock manager of its own. It ends with ours. */
export class LockOwner {
  private readonly said: OwnerSays[] = [];

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (message) => this.said.push(message as OwnerSays));
  }

  static async start(ownership: Ownership, env: NodeJS.ProcessEnv = {}): Promise<LockOwner> {
    const child = fork(join(import.meta.dirname, 'lock-owner.process.ts'), [JSON.stringify(ownership)], {
      execArgv: ['--import', join(import.meta.dirname, 'typescript.mjs')],
      env: { ...process.env, ...env },
    });
    const owner = new LockOwner(child);
    await owner.hears('ready');
    return owner;
  }

  /** Resolves to the fencing token. */
  async acquires(): Promise<bigint> {
    this.said.splice(0);
    this.child.send('acquire');
    return BigInt((await this.hears('acquired')).token);
  }

  /** Resolves to whether the lock was held until then. */
  async releases(): Promise<boolean> {
    this.child.send('release');
    return (await this.hears('released')).held;
  }

  /** Since it was told to acquire. */
  get looks(): Look[] {
    return this.said.filter((each): each is Look => each.type === 'look');
  }

  /** When the loss of the lock was told, in ms of the monotonic clock that all processes share. */
  get abortedAt(): number | undefined {
    return this.said.flatMap((each) => (each.type === 'aborted' ? each.at : []))[0];
  }

  get events(): string[] {
    return this.said.flatMap((each) => (each.type === 'event' ? each.event : []));
  }

  pause(): void {
    this.child.kill('SIGSTOP');
  }

  /** Resolves to what it saw of its lock as soon as it ran again. */
  async resume(): Promise<Look[]> {
    const wokenAt = Number(process.hrtime.bigint()) / 1e6;
    this.child.kill('SIGCONT');
    return until('it looks again', () => {
      const looks = this.looks.filter(({ from }) => from > wokenAt);
      return looks.length >= 5 && looks;
    });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }

  private hears<Type extends OwnerSays['type']>(type: Type): Promise<Extract<OwnerSays, { type: Type }>> {
    type Wanted = Extract<OwnerSays, { type: Type }>;
    return until(`the process says that it is ${type}`, () =>
      this.said.find((each): each is Wanted => each.type === type),
    ) as Promise<Wanted>;
  }
}
