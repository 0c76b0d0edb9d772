import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from './free-port.js';
import { PortTakenError, ServerProcess } from './server-process.js';
import { until } from './until.js';

/** Lines of redis.conf. Several values: several lines. */
export type RedisConfig = Readonly<Record<string, string | number | readonly string[]>>;

export interface RedisServerOptions {
  /** A function is asked again whenever a port turns out to be taken. */
  readonly config?: RedisConfig | (() => RedisConfig | Promise<RedisConfig>);
  readonly sentinel?: boolean;
  /** Besides our own environment. */
  readonly env?: NodeJS.ProcessEnv;
}

/** A server of one's own on a free loopback port, keeping nothing unless `config` says so. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  for (let attempt = 1; ; attempt += 1) {
    const config = typeof options.config === 'function' ? await options.config() : options.config;
    const server = new RedisServer(await freePort(), config, options);
    try {
      await server.restart();
      return server;
    } catch (error) {
      await server.stop();
      if (!(error instanceof PortTakenError) || attempt === 10) throw error;
    }
  }
}

export class RedisServer {
  readonly url: string;
  readonly folder = mkdtempSync(join(tmpdir(), 'nestjs-locked-redis-'));
  /** Connected while the server runs. */
  readonly admin: Redis;
  private readonly configuration = join(this.folder, 'redis.conf');
  private readonly args: readonly string[];
  private readonly env: NodeJS.ProcessEnv;
  private run: ServerProcess | undefined;

  constructor(
    readonly port: number,
    config: RedisConfig = {},
    { sentinel = false, env = {} }: Pick<RedisServerOptions, 'sentinel' | 'env'> = {},
  ) {
    this.env = env;
    this.url = `redis://127.0.0.1:${port}`;
    const keepsNothing = sentinel ? {} : { save: '', appendonly: 'no' };
    writeFileSync(this.configuration, lines({ port, bind: '127.0.0.1', dir: this.folder, ...keepsNothing, ...config }));
    this.args = sentinel ? [this.configuration, '--sentinel'] : [this.configuration];
    this.admin = new Redis({
      port,
      host: '127.0.0.1',
      ...('requirepass' in config && { password: String(config['requirepass']) }),
      lazyConnect: true,
      // So long a client that is given up keeps the process alive, and by default for 2 s.
      disconnectTimeout: 10,
      // A promoted replica throws all clients out. But somebody else may be on the port of a server that is down.
      retryStrategy: () => (this.run?.alive ? 25 : null),
    });
    this.admin.on('error', () => undefined);
  }

  /** Of the latest start. */
  get pid(): number {
    if (this.run === undefined) throw new Error('never started');
    return this.run.pid;
  }

  /** Sends a signal that ends it, and waits until it is gone. Its folder stays, for a restart. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.run?.kill(signal);
    await until('the admin is off', () => ['wait', 'end'].includes(this.admin.status));
  }

  /** Stops it in the middle of whatever it does. The kernel goes on taking connections and bytes for it. */
  pause(): void {
    this.run?.signal('SIGSTOP');
  }

  resume(): void {
    this.run?.signal('SIGCONT');
  }

  /** Kills it if it runs, and starts it on the same port and folder. Waits until it answers. */
  async restart(): Promise<void> {
    await this.kill();
    const before = this.run;
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.run = await this.start();
        await before?.dismissGuard();
        return await this.admin.connect();
      } catch (error) {
        // The first start may look for another port. Later the port is known to others: whoever took it may give it back.
        if (before === undefined || !(error instanceof PortTakenError) || attempt === 20) throw error;
        await sleep(250);
      }
    }
  }

  /** Leaves no process and no folder. */
  async stop(): Promise<void> {
    await this.run?.kill('SIGKILL');
    this.admin.disconnect();
    rmSync(this.folder, { recursive: true, force: true });
    await this.run?.dismissGuard();
  }

  private start(): Promise<ServerProcess> {
    return ServerProcess.start({
      command: 'redis-server',
      args: this.args,
      folder: this.folder,
      debianPackage: 'redis-server',
      env: this.env,
      answers: () => this.answers(),
    });
  }

  private async answers(): Promise<boolean> {
    // What is no server at all may never say anything.
    const probe = this.admin.duplicate({ retryStrategy: () => null, maxRetriesPerRequest: 0, socketTimeout: 1_000 });
    probe.on('error', () => undefined);
    try {
      return (await probe.info('server')).includes(`config_file:${this.configuration}\r\n`);
    } finally {
      probe.disconnect();
    }
  }
}

function lines(config: RedisConfig): string {
  const all = Object.entries(config).flatMap(([name, value]) =>
    [value].flat().map((each) => `${name} ${each === '' ? '""' : each}`),
  );
  return `${all.join('\n')}\n`;
}
