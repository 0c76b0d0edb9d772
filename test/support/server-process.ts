import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Guard } from './guard.js';
import { Hopeless, until } from './until.js';

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
  /** What brings the command, for whoever does not have it. */
  readonly debianPackage?: string;
  /** Besides our own environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Whose process it is; ours by default. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** Whether it is up, and it is that one: something else may be on its port. Left out: nobody waits for it. */
  readonly answers?: () => Promise<boolean>;
  readonly withinMs?: number;
}

/** Somebody else had the port first. */
export class PortTakenError extends Hopeless {}

/** A database that ends in order writes down all that it has, on a busy machine for more than 20 s. */
const GONE_WITHIN_MS = 60_000;

/** One run of a server, from its start to its end. It ends with us, and its folder with it. */
export class ServerProcess {
  private readonly exited: Promise<unknown>;
  private readonly guard: Guard;

  private constructor(
    private readonly child: ChildProcess,
    folder: string,
  ) {
    this.guard = new Guard(child.pid!, folder);
    this.exited = once(child, 'exit').then(() => this.guard.forgetProcess());
    child.unref();
  }

  /** Resolves when the server answers. */
  static async start(server: ServerCommand): Promise<ServerProcess> {
    const { command, args, folder, debianPackage, env, user, answers, withinMs } = server;
    const log = join(folder, 'server.log');
    // Not appended to: what it says is about this run.
    const output = openSync(log, 'w');
    const child = spawn(command, args, {
      cwd: folder,
      stdio: ['ignore', output, output],
      env: { ...process.env, ...env },
      ...user,
    });
    closeSync(output);
    if (child.pid === undefined) {
      const [error] = (await once(child, 'error')) as [Error];
      const advice = debianPackage === undefined ? '' : `: install it (Debian: apt-get install ${debianPackage})`;
      throw new Error(`${command} cannot be started${advice}`, { cause: error });
    }
    const run = new ServerProcess(child, folder);
    if (answers === undefined) return run;
    const look = async (): Promise<boolean> => {
      if (!run.alive) throw new Hopeless(`${command} ended`);
      return answers();
    };
    try {
      await until(`${command} answers`, look, withinMs);
      return run;
    } catch (error) {
      await run.kill('SIGKILL');
      await run.dismissGuard();
      const said = readFileSync(log, 'utf8');
      if (/address already in use|BindException/i.test(said)) throw new PortTakenError(said);
      throw new Error(`${(error as Error).message}. Its log ends:\n${said.slice(-2_000)}`, { cause: error });
    }
  }

  get pid(): number {
    return this.child.pid!;
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resolves when it is gone. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (!this.alive) return;
    this.child.ref();
    this.child.kill(signal);
    await until(`the server is gone after ${signal}`, () => this.exited.then(() => true), GONE_WITHIN_MS);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Once it is gone, and its folder is taken care of. */
  dismissGuard(): Promise<void> {
    return this.guard.dismiss();
  }
}
