import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { type LockBackend, LockConfigError, LockModule, LockService } from 'nestjs-locked';
import { always, FaultyBackend } from 'nestjs-locked/conformance';
import { MemoryBackend } from 'nestjs-locked/memory';
import { RedisBackend } from 'nestjs-locked/redis';
import { LockHealthIndicator } from 'nestjs-locked/terminus';
import { Log, serve, start } from '../nest/apps.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';

const TIMEOUT_MS = 500;
const KEY = 'nestjs-locked:health';

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly locks: LockHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check() {
    return this.health.check([() => this.locks.pingCheck('locks', { timeoutMs: TIMEOUT_MS })]);
  }
}

const application = (backend: LockBackend) => ({
  imports: [LockModule.forRoot({ backend }), TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [LockHealthIndicator],
});

describe('LockHealthIndicator', () => {
  it('is up with the latency of a lock, and leaves nothing in line', async () => {
    const backend = new FaultyBackend(new MemoryBackend());
    const get = await serve(application(backend));
    const response = await get('/health');
    const up = { status: 'up', backend: 'memory', latencyMs: expect.any(Number) };
    expect([response.status, await response.json()]).toEqual([
      200,
      { status: 'ok', info: { locks: up }, error: {}, details: { locks: up } },
    ]);
    expect([backend.count('attempt'), backend.count('withdraw')]).toEqual([1, 1]);
    expect(await backend.inspect(KEY)).toEqual([]);
  });

  it('asks the backend each time, also while other probes hold the key', async () => {
    const backend = new FaultyBackend(new MemoryBackend());
    const app = await start(application(backend));
    const probe = await app.get(LockService).acquire(KEY, { mode: 'shared' });
    const pings = await Promise.all([1, 2, 3].map(() => app.get(LockHealthIndicator).pingCheck('locks')));
    expect(pings.map(({ locks }) => locks.status)).toEqual(['up', 'up', 'up']);
    expect(backend.count('attempt')).toBe(4);
    await probe.release();
  });

  it('is up when somebody has the key to itself: that was an answer', async () => {
    const backend = new MemoryBackend();
    const [app, other] = [await start(application(backend)), await start(application(backend))];
    const lock = await other.get(LockService).acquire(KEY);
    expect(await app.get(LockHealthIndicator).pingCheck('locks')).toMatchObject({ locks: { status: 'up' } });
    await lock.release();
  });

  it.each(['attempt', 'withdraw'] as const)('is down in time when %s hangs, and is up again after', async (method) => {
    const backend = new FaultyBackend(new MemoryBackend(), { plan: always(method, 'hang') });
    const log = new Log();
    const app = await start(application(backend), log);
    const askedAt = performance.now();
    const { locks } = await app.get(LockHealthIndicator).pingCheck('locks', { timeoutMs: TIMEOUT_MS });
    const tookMs = performance.now() - askedAt;
    expect(locks).toEqual({ status: 'down', backend: 'memory', message: `no answer within ${TIMEOUT_MS} ms` });
    expect(tookMs).toBeGreaterThan(TIMEOUT_MS - 5);
    expect(tookMs).toBeLessThan(TIMEOUT_MS + 1_000);
    expect(log.warnings).toEqual([`[LockHealthIndicator] no answer within ${TIMEOUT_MS} ms`]);

    backend.plan = () => undefined;
    await until('it is up again', async () => {
      const { locks } = await app.get(LockHealthIndicator).pingCheck('locks');
      return locks.status === 'up';
    });
  });

  it('is down once the application has closed', async () => {
    const app = await start(application(new MemoryBackend()));
    const indicator = app.get(LockHealthIndicator);
    await app.get(LockService).close();
    expect(await indicator.pingCheck('locks')).toMatchObject({ locks: { status: 'down' } });
  });

  it('asks the service that is named, one that is not global included', async () => {
    const named = new FaultyBackend(new MemoryBackend());
    const app = await start({
      ...application(new MemoryBackend()),
      imports: [
        ...application(new MemoryBackend()).imports,
        LockModule.forRoot({ name: 'reports', backend: named, isGlobal: false }),
      ],
    });
    const indicator = app.get(LockHealthIndicator);
    await indicator.pingCheck('locks', { service: 'reports' });
    expect(named.count('attempt')).toBe(1);
    await expect(indicator.pingCheck('locks', { service: 'stock' })).rejects.toThrow(
      "no lock service 'stock': import LockModule.forRoot({ name: 'stock', … })",
    );
  });

  it.each([0, -1, Infinity, NaN, '1000' as never])('refuses %p as timeoutMs', async (timeoutMs) => {
    const app = await start(application(new MemoryBackend()));
    await expect(app.get(LockHealthIndicator).pingCheck('locks', { timeoutMs })).rejects.toThrow(LockConfigError);
  });
});

describeOnRedis('LockHealthIndicator on Redis', () => {
  let redis: RedisServer;
  afterEach(() => redis.stop());

  it('is down while Redis is not there or stands still, names no server to the client, and is up again', async () => {
    redis = await startRedisServer();
    const log = new Log();
    const get = await serve(application(new RedisBackend({ url: redis.url })), log);
    const health = async () => {
      const askedAt = performance.now();
      const response = await get('/health');
      expect(performance.now() - askedAt).toBeLessThan(TIMEOUT_MS + 1_500);
      return { status: response.status, text: await response.text() };
    };
    expect((await health()).status).toBe(200);

    redis.pause();
    expect((await health()).status).toBe(503);
    redis.resume();
    await until('it is up again', async () => (await health()).status === 200);

    await redis.kill();
    const down = await health();
    expect([down.status, JSON.parse(down.text).error.locks]).toEqual([
      503,
      { status: 'down', backend: 'redis', message: expect.any(String) },
    ]);
    expect(down.text).not.toContain(String(redis.port));
    expect(log.warnings.length).toBeGreaterThan(1);

    await redis.restart();
    await until('it is up again', async () => (await health()).status === 200);
  });

  it('is down when Redis answers questions and takes no writes', async () => {
    redis = await startRedisServer();
    const app = await start(application(new RedisBackend({ url: redis.url })));
    const { locks: up } = await app.get(LockHealthIndicator).pingCheck('locks');
    expect(up.status).toBe('up');
    await redis.admin.config('SET', 'maxmemory', '1');
    await expect(app.get(LockService).inspect('a')).resolves.toMatchObject({ holders: [] });
    const { locks } = await app.get(LockHealthIndicator).pingCheck('locks', { timeoutMs: 2_000 });
    expect(locks.status).toBe('down');
    await redis.admin.config('SET', 'maxmemory', '0');
  });

  it('passes on what the backend warns of', async () => {
    redis = await startRedisServer({ config: { maxmemory: '100mb', 'maxmemory-policy': 'allkeys-lru' } });
    const warned: string[] = [];
    const backend = new RedisBackend({ url: redis.url, onWarning: (warning) => warned.push(warning) });
    const app = await start(application(backend));
    const { locks } = await until('it has looked', async () => {
      const result = await app.get(LockHealthIndicator).pingCheck('locks');
      return warned.length > 0 && result;
    });
    expect(locks).toMatchObject({ status: 'up', warnings: [expect.stringContaining('allkeys-lru')] });
    expect(locks['warnings']).toEqual(warned);
  });
});
