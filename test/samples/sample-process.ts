import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { Guard } from '../support/guard.js';
import { Hopeless, until } from '../support/until.js';

const SUPPORT = join(import.meta.dirname, '../support');

/** A sample as its user starts it: a process of its own, told where its servers are. It ends with ours. */
export class SampleProcess {
  /** What it has printed. */
  readonly lines: string[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'nestjs-locked-sample-'));
  private readonly child: ChildProcess;
  private readonly guard: Guard;

  private constructor(
    readonly name: string,
    env: NodeJS.ProcessEnv,
    imports: readonly string[],
  ) {
    const loaders = [join(SUPPORT, 'typescript.mjs'), ...imports].map((path) => pathToFileURL(path).href);
    this.child = fork(join(import.meta.dirname, `../../sample/${name}/main.ts`), {
      execArgv: loaders.flatMap((url) => ['--import', url]),
      // No colours, and a free port.
      env: { ...process.env, NO_COLOR: '1', PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.guard = new Guard(this.child.pid!, this.folder);
    for (const output of [this.child.stdout!, this.child.stderr!]) {
      createInterface(output).on('line', (line) => this.lines.push(line));
    }
  }

  /** Resolves when it says that it is ready. */
  static async start(
    name: string,
    env: NodeJS.ProcessEnv = {},
    imports: readonly string[] = [],
  ): Promise<SampleProcess> {
    const sample = new SampleProcess(name, env, imports);
    try {
      const isReady = (): boolean => {
        if (!sample.alive) throw new Hopeless(`${name} ended`);
        return sample.lines.some((line) => line.startsWith('ready'));
      };
      // It is compiled while it starts, which on a busy machine takes its time.
      await until(`${name} is ready`, isReady, 50_000);
      return sample;
    } catch (error) {
      await sample.end('SIGKILL');
      throw new Error(`${(error as Error).message}. It said:\n${sample.lines.join('\n')}`, { cause: error });
    }
  }

  /** Where it said that it listens. */
  get url(): string {
    const [url] = /\S+:\/\/\S+/.exec(this.lines.find((line) => line.startsWith('ready'))!) ?? [];
    if (url === undefined) throw new Error(`${this.name} listens nowhere`);
    return url;
  }

  /** Resolves to the answer to a message. */
  async ask(message: string): Promise<unknown> {
    const answered = once(this.child, 'message');
    this.child.send(message);
    const [answer] = await until(`${this.name} answers`, () => answered);
    return answer as unknown;
  }

  /** Stops it in the middle of whatever it does. The kernel goes on taking bytes for it. */
  pause(): void {
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  /** As a platform ends it that is about to start another one. */
  async stop(): Promise<void> {
    await this.end('SIGTERM').catch(async (error: unknown) => {
      await this.end('SIGKILL');
      throw error;
    });
  }

  private get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    if (this.alive) {
      const exited = once(this.child, 'exit').then(() => true);
      this.child.kill(signal);
      await until(`${this.name} is gone after ${signal}`, () => exited);
    }
    this.guard.forgetProcess();
    rmSync(this.folder, { recursive: true, force: true });
    await this.guard.dismiss();
  }
}
