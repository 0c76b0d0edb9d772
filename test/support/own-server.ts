import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PortTakenError, type ServerCommand, ServerProcess } from './server-process.js';

/** A server of one's own in a temporary folder, that can be killed, stopped and started again. */
export abstract class OwnServer {
  readonly folder: string;
  private run: ServerProcess | undefined;

  constructor(
    name: string,
    protected readonly user?: ServerCommand['user'],
  ) {
    this.folder = mkdtempSync(join(tmpdir(), `nestjs-locked-${name}-`));
    if (user !== undefined) chownSync(this.folder, user.uid, user.gid);
  }

  protected abstract command(): Pick<ServerCommand, 'command' | 'args' | 'answers'>;

  /** Kills it if it runs, and starts it on the same port and folder. Waits until it answers. */
  async restart(): Promise<void> {
    await this.kill();
    const before = this.run;
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.run = await ServerProcess.start({ ...this.command(), folder: this.folder, user: this.user });
        await before?.dismissGuard();
        return;
      } catch (error) {
        // The first start may look for another port. Later, whoever took it may give it back, or is a child of the last run.
        if (before === undefined || attempt === 20) throw error;
        await sleep(250);
      }
    }
  }

  get pid(): number {
    if (this.run === undefined) throw new Error('never started');
    return this.run.pid;
  }

  /** Sends a signal that ends it, and waits until it is gone. Its folder stays, for a restart. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.run?.kill(signal);
  }

  /** Stops it in the middle of whatever it does. The kernel goes on taking connections and bytes for it. */
  pause(): void {
    this.run?.signal('SIGSTOP');
  }

  resume(): void {
    this.run?.signal('SIGCONT');
  }

  /** Leaves no process and no folder. */
  async stop(): Promise<void> {
    await this.run?.kill('SIGKILL');
    // A child that has not noticed yet may still write.
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    await this.run?.dismissGuard();
  }
}

/** Tries again where a port that was free is not any more. */
export async function started<S extends OwnServer>(make: () => Promise<S>): Promise<S> {
  for (let attempt = 1; ; attempt += 1) {
    const server = await make();
    try {
      await server.restart();
      return server;
    } catch (error) {
      await server.stop();
      if (!(error instanceof PortTakenError) || attempt === 10) throw error;
    }
  }
}
