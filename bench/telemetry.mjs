// node tools/prepare.mjs && node bench/telemetry.mjs: what it costs to observe a free lock in memory, run by one caller. Turn by
// turn in one process, so that all ways meet the same machine. Nothing is exported: what that costs is up to the exporter.
import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, NoopSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { LockManager } from 'nestjs-locked';
import { MemoryBackend } from 'nestjs-locked/memory';
import { observeLocks } from 'nestjs-locked/opentelemetry';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';

const ROUNDS = 60;
const LOCKS_PER_ROUND = 1_000;

const meters = new MeterProvider({ readers: [new PrometheusExporter({ preventServerStart: true })] });
const traces = new BasicTracerProvider({ spanProcessors: [new NoopSpanProcessor()] });
const contexts = new AsyncLocalStorageContextManager().enable();

/** Each says how to begin, and answers with how to end. */
const ways = {
  'not observed': () => () => undefined,
  'without an SDK': () => observeLocks(),
  metrics: () => {
    metrics.setGlobalMeterProvider(meters);
    return observeLocks();
  },
  'metrics and traces': () => {
    metrics.setGlobalMeterProvider(meters);
    trace.setGlobalTracerProvider(traces);
    context.setGlobalContextManager(contexts);
    return observeLocks();
  },
};

const manager = new LockManager({ backend: new MemoryBackend() });
const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
for (let round = -10; round < ROUNDS; round += 1) {
  for (const [name, observe] of Object.entries(ways)) {
    await new Promise(setImmediate);
    const stop = observe();
    const startedAt = process.cpuUsage();
    for (let index = 0; index < LOCKS_PER_ROUND; index += 1) await manager.run('bench', { site: 'bench' }, () => index);
    const { user, system } = process.cpuUsage(startedAt);
    if (round >= 0) times[name].push((user + system) / LOCKS_PER_ROUND);
    stop();
    for (const api of [metrics, trace, context]) api.disable();
    contexts.enable();
  }
}
for (const [name, each] of Object.entries(times)) {
  each.sort((a, b) => a - b);
  const at = (share) => each[Math.floor(each.length * share)].toFixed(1).padStart(6);
  console.log(`${name.padEnd(18)} µs of CPU per lock: p10 ${at(0.1)}  median ${at(0.5)}  p90 ${at(0.9)}`);
}
await manager.close();
