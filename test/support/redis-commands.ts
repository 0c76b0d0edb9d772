import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { type Redis } from 'ioredis';
import { until } from './until.js';

export interface SeenCommand {
  /** In lower case. */
  readonly name: string;
  readonly args: readonly string[];
  /** The client's address, or `lua`. */
  readonly source: string;
}

export interface SeenCommands {
  /** What clients sent, without log-ins and the like. */
  readonly sent: SeenCommand[];
  /** What scripts called. */
  readonly scripted: SeenCommand[];
  /** What scripts published. */
  readonly pushes: SeenCommand[];
}

/** What a client sends of its own accord when it connects. */
const HANDSHAKE = new Set(['hello', 'auth', 'select', 'client', 'info', 'role', 'readonly', 'cluster', 'command']);

/** Sees the commands that servers execute from now on, but for those that their admins send, sentinels and replicas. */
export class CommandWatch {
  private constructor(private readonly watched: readonly Watched[]) {}

  static async start(...servers: readonly { readonly admin: Redis }[]): Promise<CommandWatch> {
    return new CommandWatch(await Promise.all(servers.map(({ admin }) => Watched.start(admin))));
  }

  /** What was executed since the start, or since the last call. */
  async take(): Promise<SeenCommands> {
    const seen = (await Promise.all(this.watched.map((each) => each.take()))).flat();
    const scripted = seen.filter(({ source }) => source === 'lua');
    return {
      sent: seen.filter(({ name, source }) => source !== 'lua' && !HANDSHAKE.has(name)),
      scripted,
      pushes: scripted.filter(({ name }) => name === 'publish' || name === 'spublish'),
    };
  }

  stop(): void {
    for (const each of this.watched) each.stop();
  }
}

class Watched {
  private seen: SeenCommand[] = [];

  private constructor(
    private readonly admin: Redis,
    private readonly monitor: Socket,
  ) {
    createInterface(monitor).on('line', (line) => {
      const command = parse(line);
      if (command !== undefined) this.seen.push(command);
    });
  }

  /** By hand: what ioredis makes of MONITOR fails when other clients are busy while it starts. */
  static async start(admin: Redis): Promise<Watched> {
    const { port, host, password } = admin.options;
    const monitor = connect(port!, host);
    monitor.on('error', () => undefined);
    const watched = new Watched(admin, monitor);
    monitor.write(`${password ? `AUTH ${password}\r\n` : ''}MONITOR\r\n`);
    await until('the monitor works', async () => {
      await admin.echo('');
      return watched.seen.length > 0;
    });
    await watched.take();
    return watched;
  }

  async take(): Promise<SeenCommand[]> {
    const clients = String(await this.admin.client('LIST')).split('\n');
    const servers = new Set(clients.filter((line) => / name=sentinel-| flags=\w*S/.test(line)).map(addressOf));
    // The server executes commands one after another: what comes before the mark is all there was.
    const mark = randomUUID();
    await this.admin.echo(mark);
    const last = await until('the mark is seen', () => this.seen.find(({ args }) => args[0] === mark));
    const taken = this.seen.splice(0, this.seen.indexOf(last) + 1);
    return taken.filter(({ source }) => source !== last.source && !servers.has(source));
  }

  stop(): void {
    this.monitor.destroy();
  }
}

/** `+1339518083.107412 [0 127.0.0.1:60866] "keys" "*"` */
function parse(line: string): SeenCommand | undefined {
  const [, source, quoted] = /^\+[\d.]+ \[\d+ ([^\]]+)\] (.*)$/.exec(line) ?? [];
  if (source === undefined || quoted === undefined) return undefined;
  const words = Array.from(quoted.matchAll(/"((?:[^"\\]|\\.)*)"/g), ([, word]) => unescaped(word!));
  const [name = '', ...args] = words;
  return { name: name.toLowerCase(), args, source };
}

/** As UTF-8, whatever bytes there were. */
function unescaped(word: string): string {
  const controls: Record<string, string> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' };
  const bytes = word.replace(/\\(?:x([\da-f]{2})|(.))/g, (_, hex: string | undefined, char: string) => {
    return hex === undefined ? (controls[char] ?? char) : String.fromCharCode(Number.parseInt(hex, 16));
  });
  return Buffer.from(bytes, 'latin1').toString();
}

function addressOf(client: string): string {
  return / addr=(\S+)/.exec(client)?.[1] ?? '';
}

export async function keyCount(...servers: readonly { readonly admin: Redis }[]): Promise<number> {
  const counts = await Promise.all(servers.map(({ admin }) => admin.dbsize()));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** How many subscribers it threw out. */
export async function killSubscribers({ admin }: { readonly admin: Redis }): Promise<number> {
  return Number(await admin.client('KILL', 'TYPE', 'PUBSUB'));
}
