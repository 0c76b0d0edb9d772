import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { context, diag, type DiagLogger, SpanStatusCode, trace } from '@opentelemetry/api';
import { type ReadableSpan, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { type Lock, LockLostError, LockManager, LockUnavailableError } from 'nestjs-locked';
import { MemoryBackend } from 'nestjs-locked/memory';
import { observeLocks } from 'nestjs-locked/opentelemetry';
import { TestingBackend } from 'nestjs-locked/testing';
import { Telemetry } from './telemetry.js';

/** An exporter that has a bad day. */
class Throwing implements SpanProcessor {
  on = true;
  onStart(): void {
    if (this.on) throw new Error('no spans today');
  }
  onEnd(): void {
    if (this.on) throw new Error('nor tomorrow');
  }
  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}

const tracer = () => trace.getTracer('test');

let telemetry: Telemetry;
let stop: () => void;
let locks: LockManager;

beforeEach(() => {
  telemetry = new Telemetry();
  stop = observeLocks();
  locks = new LockManager({ backend: new MemoryBackend() });
});
afterEach(async () => {
  await locks.close();
  stop();
  await telemetry.stop();
});

describe('the spans of a lock', () => {
  it('are children of the span of the request, and what the body starts is one of the hold', async () => {
    const lock = await inSpan('GET /orders', () =>
      locks.run('order:1', { site: 'Orders.ship' }, async (lock) => {
        tracer().startSpan('INSERT').end();
        return lock;
      }),
    );
    const request = telemetry.span('GET /orders');
    const acquire = telemetry.span('lock.acquire Orders.ship');
    const hold = telemetry.span('lock.hold Orders.ship');
    expect([parentOf(acquire), parentOf(hold)]).toEqual([idOf(request), idOf(request)]);
    expect(parentOf(telemetry.span('INSERT'))).toBe(idOf(hold));
    expect(hold.attributes).toEqual({
      'lock.system': 'memory',
      'lock.service': 'default',
      'lock.site': 'Orders.ship',
      'lock.fencing_tokens': [String(lock.fencingToken)],
    });
    expect(acquire.attributes).toEqual(hold.attributes);
    expect(JSON.stringify([acquire.attributes, hold.attributes])).not.toContain('order:1');
    expect(telemetry.beginningsAndEnds).toEqual([
      'GET /orders begins',
      'lock.acquire Orders.ship begins',
      'lock.acquire Orders.ship ends',
      'lock.hold Orders.ship begins',
      'INSERT begins',
      'INSERT ends',
      'lock.hold Orders.ship ends',
      'GET /orders ends',
    ]);
  });

  it('leave the context of whoever asked as it was', async () => {
    await inSpan('request', async () => {
      const before = context.active();
      const lock = await locks.acquire('a');
      expect(context.active()).toBe(before);
      await lock.release();
      await locks.run('a', () => undefined);
      expect(context.active()).toBe(before);
    });
  });

  it('begin a trace where there is none', async () => {
    await locks.run('a', () => undefined);
    expect(telemetry.spans.map((span) => [span.name, parentOf(span)])).toEqual([
      ['lock.acquire default', undefined],
      ['lock.hold default', undefined],
    ]);
  });

  it('tell the wait from the hold', async () => {
    const first = await locks.acquire('a', { site: 'first' });
    const second = locks.acquire('a', { site: 'second' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(telemetry.spans.map(({ name }) => name)).toEqual(['lock.acquire first']);
    await first.release();
    await (await second).release();
    expect(lasted(telemetry.span('lock.acquire second'))).toBeGreaterThan(190);
    expect(lasted(telemetry.span('lock.hold first'))).toBeGreaterThan(190);
    expect(lasted(telemetry.span('lock.hold second'))).toBeLessThan(190);
  });

  it('are two for a lock of several keys, and two more for one entered again', async () => {
    const lock = await locks.acquire(['a', 'b']);
    await lock.release();
    expect(telemetry.spans).toHaveLength(2);
    expect(telemetry.span('lock.hold default').attributes['lock.fencing_tokens']).toHaveLength(2);
    await locks.run('c', { site: 'outer' }, () => locks.run('c', { site: 'inner', reentrant: true }, () => undefined));
    expect(parentOf(telemetry.span('lock.hold inner'))).toBe(idOf(telemetry.span('lock.hold outer')));
  });

  it('say why a lock was not had, and name no key', async () => {
    const lock = await locks.acquire('secret');
    await expect(locks.acquire('secret', { site: 'late', waitMs: 10 })).rejects.toThrow(LockUnavailableError);
    await lock.release();
    const { attributes, status } = telemetry.span('lock.acquire late');
    expect([attributes['error.type'], status]).toEqual(['busy', { code: SpanStatusCode.ERROR }]);
    expect(telemetry.spans.map(({ name }) => name)).not.toContain('lock.hold late');
  });

  it('say why a lock was lost, and end with it', async () => {
    const backend = new TestingBackend();
    const own = new LockManager({ backend });
    const run = own.run('a', () => backend.lose('a'));
    await expect(run).rejects.toThrow(LockLostError);
    const { attributes, status } = telemetry.span('lock.hold default');
    expect([attributes['error.type'], status.code]).toEqual(['claim-gone', SpanStatusCode.ERROR]);
    await own.close();
  });

  it('are not disturbed by what the body throws', async () => {
    await expect(locks.run('a', () => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    expect(telemetry.span('lock.hold default').status.code).toBe(SpanStatusCode.UNSET);
  });
});

describe('telemetry that fails', () => {
  it('changes nothing but what is told, by diag', async () => {
    stop();
    await telemetry.stop();
    const throwing = new Throwing();
    telemetry = new Telemetry([throwing]);
    stop = observeLocks();
    const errors = jest.fn();
    const logger: DiagLogger = { error: errors, warn: errors, info: () => {}, debug: () => {}, verbose: () => {} };
    diag.setLogger(logger);
    try {
      const held: Lock[] = [];
      await locks.run('a', (lock) => void held.push(lock));
      await (await locks.acquire('a')).release();
      expect(held[0]!.signal.aborted).toBe(false);
      expect(await locks.inspect('a')).toEqual({ key: 'a', holders: [], waiters: [] });
      expect(errors).toHaveBeenCalledWith('nestjs-locked: telemetry of a lock failed', expect.any(Error));
      expect(await telemetry.total('lock.hold.duration')).toBe(2);
    } finally {
      throwing.on = false;
      diag.disable();
    }
  });
});

function inSpan<T>(name: string, body: () => Promise<T>): Promise<T> {
  return tracer().startActiveSpan(name, async (span) => {
    try {
      return await body();
    } finally {
      span.end();
    }
  });
}

function idOf(span: ReadableSpan): string {
  return span.spanContext().spanId;
}

function parentOf(span: ReadableSpan): string | undefined {
  return span.parentSpanContext?.spanId;
}

function time([seconds, nanoseconds]: ReadableSpan['startTime']): number {
  return seconds * 1_000 + nanoseconds / 1_000_000;
}

function lasted({ startTime, endTime }: ReadableSpan): number {
  return time(endTime) - time(startTime);
}
