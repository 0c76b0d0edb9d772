import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { type Access, monotonicMs } from './history.js';

/** What is asked of the resource, one line each. */
interface Question {
  readonly id: number;
  readonly kind: Access['kind'];
  readonly key: string;
  readonly hold: string;
  readonly token: string;
  readonly value: number;
}

interface Answer {
  readonly id: number;
  readonly accepted: boolean;
  readonly value: number;
}

/**
 * What locks guard: counters, each to be read and later written by who holds its key. It refuses whoever has a smaller token
 * than the largest it has seen, and keeps a history of its own.
 */
export class FencedResource {
  readonly accesses: Access[] = [];
  private readonly counters = new Map<string, number>();
  private readonly largest = new Map<string, bigint>();
  /** By key. */
  private readonly visits = new Map<string, string>();
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;

  constructor(private readonly fenced = true) {
    this.server = createServer((socket) => {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      // A process that is killed resets its connections.
      socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
      const lines = createInterface({ input: socket });
      lines.on('error', () => undefined);
      lines.on('line', (line) => socket.write(`${JSON.stringify(this.answer(JSON.parse(line) as Question))}\n`));
    });
  }

  async listen(): Promise<number> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  /** Processes that have read and not yet written. */
  get visitors(): string[] {
    return [...this.visits.values()].map((hold) => hold.split('/')[0]!);
  }

  private answer({ id, kind, key, hold, token: text, value }: Question): Answer {
    const token = BigInt(text);
    const largest = this.largest.get(key) ?? 0n;
    const accepted = !this.fenced || token >= largest;
    if (accepted) this.largest.set(key, token);
    if (accepted && kind === 'read') this.visits.set(key, hold);
    if (accepted && kind === 'write') {
      this.counters.set(key, value);
      this.visits.delete(key);
    }
    const now = this.counters.get(key) ?? 0;
    this.accesses.push({ at: monotonicMs(), key, hold, token, kind, accepted, value: now });
    return { id, accepted, value: now };
  }
}

/** A connection of one process to it. */
export class ResourceClient {
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private asked = 0;

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    createInterface({ input: socket }).on('line', (line) => {
      const answer = JSON.parse(line) as Answer;
      this.waiting.get(answer.id)?.(answer);
      this.waiting.delete(answer.id);
    });
  }

  static async connect(port: number): Promise<ResourceClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new ResourceClient(socket);
  }

  /** Resolves to what was read; undefined: refused. */
  read(key: string, hold: string, token: bigint): Promise<number | undefined> {
    return this.ask({ kind: 'read', key, hold, token: String(token), value: 0 });
  }

  /** Resolves to what was written; undefined: refused. */
  write(key: string, hold: string, token: bigint, value: number): Promise<number | undefined> {
    return this.ask({ kind: 'write', key, hold, token: String(token), value });
  }

  close(): void {
    this.socket.destroy();
  }

  private async ask(question: Omit<Question, 'id'>): Promise<number | undefined> {
    const id = (this.asked += 1);
    const answer = new Promise<Answer>((resolve) => this.waiting.set(id, resolve));
    this.socket.write(`${JSON.stringify({ id, ...question })}\n`);
    const { accepted, value } = await answer;
    return accepted ? value : undefined;
  }
}
