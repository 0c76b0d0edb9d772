import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { LockManager } from '../../lib/index.js';
import { RedisBackend } from '../../lib/redis/index.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import type { Said, Settings } from './sigterm.process.js';

/** What is said of `drainMs` in the README. */
const BOUND_AFTER_DRAIN_MS = 15_000;

interface Answer {
  readonly id: string;
  /** Undefined when the connection was refused or broke off. */
  readonly status: number | undefined;
  readonly body: string;
}

/** An application in a process of its own. */
class Application {
  private readonly said: Said[] = [];
  private readonly gone: Promise<unknown[]>;
  private url!: string;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (message) => this.said.push(message as Said));
    this.gone = once(child, 'exit');
  }

  static async start(settings: Settings): Promise<Application> {
    const child = fork(join(import.meta.dirname, 'sigterm.process.ts'), [JSON.stringify(settings)], {
      execArgv: ['--import', join(import.meta.dirname, '../support/typescript.mjs')],
    });
    const application = new Application(child);
    application.url = (await application.hears('url')) as string;
    return application;
  }

  /** On a connection of its own: a server that closes leaves idle connections alone until they time out. */
  ask(path: string, id = path): Promise<Answer> {
    return new Promise((resolve) => {
      const request = get(`${this.url}/${path}`, { agent: false }, (response) => {
        const answer = (body: string): void => resolve({ id, status: response.statusCode, body });
        text(response).then(answer, () => resolve({ id, status: undefined, body: '' }));
      });
      request.on('error', () => resolve({ id, status: undefined, body: '' }));
    });
  }

  /** Sends SIGTERM. Resolves with what it was handling then, and with how long it took to end and how it did. */
  async terminate(): Promise<{ inFlight: readonly string[]; tookMs: number; by: unknown }> {
    const sentAt = performance.now();
    this.child.kill('SIGTERM');
    const inFlight = (await this.hears('inFlight')) as readonly string[];
    const [, by] = await this.gone;
    return { inFlight, tookMs: performance.now() - sentAt, by };
  }

  /** In case a test failed before it ended. */
  async discard(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.gone;
  }

  private hears(what: string): Promise<unknown> {
    return until(`the application says its ${what}`, () =>
      this.said.flatMap((said) => Object.entries(said)).find(([name]) => name === what),
    ).then(([, value]) => value as unknown);
  }
}

/** Asks again and again until it is turned away; tells of every answer. */
async function client(application: Application, name: string, path: () => string, answers: Answer[]): Promise<void> {
  for (let count = 0; ; count += 1) {
    const id = `${name}-${count}`;
    const answer = await application.ask(`${path()}/${id}`, id);
    answers.push(answer);
    if (answer.status !== 200) return;
  }
}

describeOnRedis('SIGTERM', () => {
  let server: RedisServer;
  let application: Application;
  let other: LockManager;

  const start = async (drainMs: number): Promise<void> => {
    application = await Application.start({ redis: server.url, drainMs });
  };
  const claims = async (): Promise<string[]> => (await server.admin.keys('*')).filter((key) => !key.endsWith('last'));
  const isHeld = async (key: string): Promise<boolean> => (await other.inspect(key)).holders.length === 1;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  beforeEach(() => {
    other = new LockManager({
      backend: new RedisBackend({ url: server.url, onWarning: () => undefined }),
      drainMs: 100,
    });
  });
  afterEach(async () => {
    await application.discard();
    await other.close();
  });
  afterAll(() => server.stop());

  describe('with the backend up', () => {
    it('under load: what is handled ends well, what comes later is refused, and nothing is left behind', async () => {
      await start(10_000);
      const answers: Answer[] = [];
      const clients = Array.from({ length: 40 }, (_, index) => {
        return client(application, `client${index}`, () => `during/40/key${index % 8}`, answers);
      });
      expect(await application.ask('forgotten/by-hand')).toMatchObject({ status: 200 });
      await until('many were answered', () => answers.length > 100);
      // Somebody elsewhere has half of the keys when the signal comes, and gives them back after that.
      const keyOf = (id: string): number => Number(/\d+/.exec(id)) % 8;
      const elsewhere = await other.acquire(['key0', 'key1', 'key2', 'key3']);
      await until('half of the clients wait', async () => {
        const ids = JSON.parse((await application.ask('in-flight')).body) as string[];
        return ids.filter((id) => keyOf(id) < 4).length === 20;
      });
      const terminated = application.terminate();
      await until('new requests are refused', () => answers.some(({ status }) => status !== 200));
      await elsewhere.release();
      const { inFlight, tookMs, by } = await terminated;
      await Promise.all(clients);

      expect(inFlight.filter((id) => keyOf(id) < 4)).toHaveLength(20);
      const failed = answers.filter(
        ({ id, status, body }) => inFlight.includes(id) && (status !== 200 || body !== 'done'),
      );
      expect(failed).toEqual([]);
      const later = answers.filter(({ status }) => status !== 200).map(({ status }) => status);
      expect([...new Set(later)].filter((status) => status !== 503 && status !== undefined)).toEqual([]);
      expect(await claims()).toEqual([]);
      expect(by).toBe('SIGTERM');
      expect(tookMs).toBeLessThan(5_000);
    });

    it('takes what is not given back in drainMs, tells its holder and answers who waits for it', async () => {
      await start(500);
      const running = application.ask('until-lost/stuck');
      await until('it holds the lock', () => isHeld('stuck'));
      const patient = application.ask('during/0/stuck/patient', 'patient');
      await until('another waits for it', async () => (await application.ask('in-flight')).body.includes('patient'));
      const { tookMs, by } = await application.terminate();
      expect((await running).status).toBe(500);
      expect((await patient).status).toBe(503);
      expect(await claims()).toEqual([]);
      expect(by).toBe('SIGTERM');
      expect(tookMs).toBeLessThan(5_000);
    });
  });

  describe('with the backend gone', () => {
    afterEach(() => server.restart());

    it.each([
      ['stopped', async () => server.pause()],
      ['killed', () => server.kill()],
    ] as const)('%s, ends within the bound, and every request is answered', async (_how, strike) => {
      const drainMs = 2_000;
      await start(drainMs);
      const elsewhere = await other.acquire('elsewhere');
      const asked = [
        application.ask('during/300/one/a', 'a'),
        application.ask('until-lost/two', 'b'),
        application.ask('during/0/elsewhere/c', 'c'),
        application.ask('during/10/one/d', 'd'),
      ];
      await until('all keys are asked for', async () => {
        const [one, two, third] = await Promise.all(['one', 'two', 'elsewhere'].map((key) => other.inspect(key)));
        return one!.holders.length + two!.holders.length + third!.waiters.length === 3;
      });
      await strike();
      const { tookMs, by } = await application.terminate();
      for (const { status } of await Promise.all(asked)) expect([200, 500, 503]).toContain(status);
      expect(by).toBe('SIGTERM');
      expect(tookMs).toBeLessThan(drainMs + BOUND_AFTER_DRAIN_MS);
      await elsewhere.release();
    });
  });
});
