import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Hopeless, until } from '../support/until.js';

const ROOT = join(import.meta.dirname, '../..');

/** `npm start -- --serve`, as whoever tries the project starts it. */
export class TicketSale {
  readonly lines: string[] = [];
  private readonly child: ChildProcess;

  private constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, ['tools/start.mjs', '--serve', ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const output of [this.child.stdout!, this.child.stderr!]) {
      createInterface(output).on('line', (line) => this.lines.push(line));
    }
  }

  /** Resolves when it has said where its page is. What is not built yet is built first. */
  static async start(...args: readonly string[]): Promise<TicketSale> {
    const sale = new TicketSale(args);
    const isUp = (): boolean => {
      if (sale.child.exitCode !== null) throw new Hopeless(`it ended:\n${sale.lines.join('\n')}`);
      return sale.url !== undefined;
    };
    try {
      await until('the ticket sale serves', isUp, 240_000);
      return sale;
    } catch (error) {
      sale.child.kill('SIGKILL');
      throw error;
    }
  }

  get url(): string | undefined {
    return /http:\S+\/locks/.exec(this.lines.join('\n'))?.[0];
  }

  /** As by Ctrl+C. Resolves to how it ended. */
  async interrupt(): Promise<number | null> {
    const ended = this.child.exitCode === null ? once(this.child, 'exit') : undefined;
    this.child.kill('SIGINT');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(timer);
    return this.child.exitCode;
  }
}
