import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeOnRedis } from '../support/redis-installed.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { type Answer, send } from './http.js';
import { SampleProcess } from './sample-process.js';

const KEYS = 10_000;
const DASHBOARD = join(import.meta.dirname, '../../sample/08-observability/grafana-dashboard.json');

/** One series of what Prometheus is told. */
interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

describeOnRedis('sample 08-observability', () => {
  let redis: RedisServer;
  let sample: SampleProcess;
  /** Says nothing of its spans, of which there will be many. */
  let silent: SampleProcess;

  beforeAll(async () => {
    redis = await startRedisServer();
    const env = { REDIS_URL: redis.url };
    sample = await SampleProcess.start('08-observability', env);
    silent = await SampleProcess.start('08-observability', { ...env, OTEL_TRACES_SAMPLER: 'always_off' });
  });
  afterAll(async () => {
    await silent?.stop();
    await sample?.stop();
    await redis?.stop();
  });

  it('has metrics that agree with what was answered, and with the events', async () => {
    const shipments = ['1', '2', '3', '3', '3'].map((id) => send('POST', `${sample.url}/orders/${id}/shipment`));
    const statuses = (await Promise.all(shipments)).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([201, 201, 201, 423, 423]);

    const site = { lock_site: 'Orders.ship', lock_service: 'default', lock_system: 'redis' };
    const busy = { ...site, error_type: 'busy' };
    const series = await scrape(sample);
    expect(total(series, 'lock_wait_duration_count', site)).toBe(5);
    expect(total(series, 'lock_wait_duration_count', busy)).toBe(2);
    expect(total(series, 'lock_unavailable_total', busy)).toBe(2);
    expect(total(series, 'lock_hold_duration_count', site)).toBe(3);
    expect(total(series, 'lock_hold_duration_sum', site)).toBeGreaterThan(1.4);
    await agreesWithEvents(sample);
  });

  it('has as many series after ten thousand keys as after one', async () => {
    await send('POST', `${silent.url}/orders/labels/1`);
    const before = await scrape(silent);
    const { status } = await send('POST', `${silent.url}/orders/labels/${KEYS - 1}`);
    expect(status).toBe(201);

    const after = await scrape(silent);
    const label = { lock_site: 'Orders.label' };
    expect(total(after, 'lock_hold_duration_count', label)).toBe(KEYS);
    expect(after.map(identity)).toEqual(before.map(identity));
    expect(after.length).toBeLessThan(200);
    expect(after.map(identity).join('\n')).not.toMatch(/label:|order:/);
    await agreesWithEvents(silent);
  }, 120_000);

  it('prints spans: the work under the lock is a child of the hold', async () => {
    const text = sample.lines.join('\n');
    const packed = /traceId: '(\w+)'[^}]*?parentSpanContext: \{[^}]*?spanId: '(\w+)'[^]*?name: 'pack'/.exec(text);
    expect(packed).not.toBeNull();
    const held = new RegExp(`name: 'lock\\.hold Orders\\.ship',\\n *id: '${packed![2]}'`);
    expect(text).toMatch(held);
  });

  it('has a dashboard of metrics and labels that are exported, and of nothing else', async () => {
    await everythingGoesWrong();
    const exported = await scrape(sample);
    const names = new Set(exported.map(({ name }) => name));
    const labels = new Set(['le', ...exported.flatMap((series) => Object.keys(series.labels))]);
    const queries = queriesOf(JSON.parse(readFileSync(DASHBOARD, 'utf8')));
    expect(queries.length).toBeGreaterThan(8);
    for (const query of queries) {
      const { metrics, by } = namedIn(query);
      expect(metrics).not.toEqual([]);
      for (const metric of metrics) expect([...names]).toContain(metric);
      for (const label of by) expect([...labels]).toContain(label);
    }
  });

  it('is healthy while Redis is', async () => {
    const health = (): Promise<Answer> => send('GET', `${sample.url}/health`);
    await until('it is up', async () => (await health()).status === 200);
    await redis.kill();
    const { status, body } = await health();
    expect([status, body]).toMatchObject([503, { error: { locks: { status: 'down', backend: 'redis' } } }]);
    await redis.restart();
    await until('it is up again', async () => (await health()).status === 200);
  });

  /** A renewal and a release fail, and a lock is lost: what has not happened yet is not exported. */
  async function everythingGoesWrong(): Promise<void> {
    const gone = await slowShipment('gone', 5_000);
    await redis.admin.flushall();
    expect((await gone.answer).status).toBe(500);

    const silence = await slowShipment('silence', 6_000);
    redis.pause();
    await until('its renewal has failed', async () => (await happened('lock_renewal_failures_total')) > 0);
    await silence.answer;
    await until('its release has failed', async () => (await happened('lock_release_failures_total')) > 0);
    redis.resume();
  }

  async function happened(name: string): Promise<number> {
    return total(await scrape(sample), name);
  }

  /** Resolves when it is under way. */
  async function slowShipment(id: string, ms: number): Promise<{ readonly answer: Promise<Answer> }> {
    const answer = send('POST', `${sample.url}/orders/${id}/shipment?ms=${ms}`);
    await until('it is held', async () => (await happened('lock_held')) === 1);
    return { answer };
  }

  /** No lock is on its way while this compares. */
  async function agreesWithEvents(of: SampleProcess): Promise<void> {
    const { body } = await send('GET', `${of.url}/orders/tally`);
    const counts = body as Record<string, number>;
    const count = (...types: string[]): number => types.reduce((sum, type) => sum + (counts[type] ?? 0), 0);
    const series = await scrape(of);
    const had = count('acquired', 'handed-over');
    expect(total(series, 'lock_hold_duration_count')).toBe(count('released'));
    expect(total(series, 'lock_unavailable_total')).toBe(count('timed-out'));
    expect(total(series, 'lock_wait_duration_count')).toBe(had + count('timed-out'));
    expect(total(series, 'lock_held')).toBe(had - count('released'));
    expect(total(series, 'lock_waiting')).toBe(0);
  }

  async function scrape(of: SampleProcess): Promise<readonly Series[]> {
    const response = await fetch(`${of.url}/metrics`, { signal: AbortSignal.timeout(30_000) });
    const lines = (await response.text()).split('\n').filter((line) => line.startsWith('lock_'));
    return lines.map((line) => {
      const [, name, labels, value] = /^(\w+)\{(.*)\} (\S+)/.exec(line)!;
      const pairs = [...labels!.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, text]) => [label, text]);
      return { name: name!, labels: Object.fromEntries(pairs), value: Number(value) };
    });
  }
});

function total(series: readonly Series[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  const wanted = series.filter(
    (each) => each.name === name && Object.entries(labels).every(([label, text]) => each.labels[label] === text),
  );
  return wanted.reduce((sum, { value }) => sum + value, 0);
}

function identity({ name, labels }: Series): string {
  return `${name} ${JSON.stringify(labels)}`;
}

/** What a dashboard asks Prometheus, wherever it says so. */
function queriesOf(part: unknown): string[] {
  if (typeof part !== 'object' || part === null) return [];
  return Object.entries(part).flatMap(([name, value]) =>
    (name === 'expr' || name === 'query') && typeof value === 'string' && value !== 'prometheus'
      ? [value]
      : queriesOf(value),
  );
}

function namedIn(query: string): { readonly metrics: string[]; readonly by: string[] } {
  const by = [...query.matchAll(/by \(([^)]*)\)|(\w+)=~?"|, (\w+)\)$/g)].flatMap(([, list, matched, last]) =>
    (list ?? matched ?? last ?? '').split(/, */),
  );
  const metrics = [...query.matchAll(/\b(\w+)(?=\{|, lock_service\))/g)].map(([, name]) => name!);
  return { metrics, by: by.filter((label) => !label.includes('$')) };
}
