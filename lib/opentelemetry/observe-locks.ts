import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, tracingChannel } from 'node:diagnostics_channel';
import {
  context,
  type Context,
  createNoopMeter,
  diag,
  metrics,
  ProxyTracerProvider,
  trace as tracing,
} from '@opentelemetry/api';
import { LockConfigError } from '../core/errors.js';
import { type LockEvent } from '../core/events.js';
import { type LockTrace } from '../core/traces.js';
import { Subjects } from './attributes.js';
import { LockMetrics } from './lock.metrics.js';
import { LockSpans } from './lock.spans.js';
import { type LockTelemetryOptions } from './lock-telemetry.options.js';

const NAME = 'nestjs-locked';

const events = channel(NAME);
const acquire = tracingChannel<Context, LockTrace>(`${NAME}:acquire`);
const hold = tracingChannel<Context, LockTrace>(`${NAME}:hold`);

/** What observes the locks of this process. There is one, whoever wants it: two would count everything twice. */
interface Observation {
  readonly options: LockTelemetryOptions;
  readonly stop: () => void;
  users: number;
}

let observation: Observation | undefined;

/**
 * Has every lock manager of the process measured and traced by the OpenTelemetry SDK that is registered, which is to have been
 * started before. Without one it does nothing. The function that it returns ends that; whatever fails
 * in it fails alone, and is told by the `diag` of OpenTelemetry.
 *
 * Called twice, it observes once. In a Nest application, LockTelemetryModule calls it.
 *
 * @throws LockConfigError when locks are observed already, with another `keyTemplate`.
 */
export function observeLocks(options: LockTelemetryOptions = {}): () => void {
  const { keyTemplate } = options;
  if (keyTemplate !== undefined && typeof keyTemplate !== 'function') {
    throw new LockConfigError('keyTemplate must be a function');
  }
  const own = (observation ??= { options, stop: observe(options), users: 0 });
  if (own.options.keyTemplate !== keyTemplate) {
    throw new LockConfigError('the locks of this process are observed already, with another keyTemplate');
  }
  own.users += 1;
  let stopped = false;
  return () => {
    if (stopped) return;
    stopped = true;
    own.users -= 1;
    if (own.users > 0) return;
    own.stop();
    observation = undefined;
  };
}

/** Only what there is an SDK for, so that whoever has none pays nothing. */
function observe(options: LockTelemetryOptions): () => void {
  const subjects = new Subjects(options);
  const meter = metrics.getMeter(NAME);
  const stopMeasuring = meter === createNoopMeter() ? undefined : measure(new LockMetrics(meter, subjects));
  const stopTracing = tracesAreWanted() ? followTraces(new LockSpans(tracing.getTracer(NAME), subjects)) : undefined;
  if (stopMeasuring === undefined && stopTracing === undefined) diag.warn(`${NAME}: no SDK is registered yet`);
  return () => {
    stopMeasuring?.();
    stopTracing?.();
  };
}

function tracesAreWanted(): boolean {
  const provider = tracing.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer(NAME) !== undefined;
}

function measure(measured: LockMetrics): () => void {
  const onEvent = (event: unknown): void => quietly(() => measured.happened(event as LockEvent));
  const onAsked = (trace: unknown): void => quietly(() => measured.asked(trace as LockTrace));
  const onAnswered = (trace: unknown): void => quietly(() => measured.answered(trace as LockTrace));
  events.subscribe(onEvent);
  acquire.start.subscribe(onAsked);
  acquire.asyncEnd.subscribe(onAnswered);
  return () => {
    events.unsubscribe(onEvent);
    acquire.start.unsubscribe(onAsked);
    acquire.asyncEnd.unsubscribe(onAnswered);
  };
}

function followTraces(traced: LockSpans): () => void {
  const active = new ActiveContext();
  const onAnswered = (trace: unknown): void => quietly(() => traced.answered(trace as LockTrace, guarded));
  acquire.start.bindStore(active, (trace) => quietly(() => traced.asked(trace)) ?? context.active());
  acquire.asyncEnd.subscribe(onAnswered);
  hold.start.bindStore(active, (trace) => quietly(() => traced.held(trace)) ?? context.active());
  return () => {
    acquire.start.unbindStore(active);
    acquire.asyncEnd.unsubscribe(onAnswered);
    hold.start.unbindStore(active);
  };
}

/** Lets a channel enter a context of OpenTelemetry, whose own store is nobody else's to see. */
class ActiveContext extends AsyncLocalStorage<Context> {
  override run<R>(entered: Context, body: () => R): R {
    return context.with(entered, () => body());
  }
}

/** A subscriber of a channel that throws would end the process. */
function quietly<T>(listener: () => T): T | undefined {
  try {
    return listener();
  } catch (error) {
    diag.error(`${NAME}: telemetry of a lock failed`, error);
    return undefined;
  }
}

function guarded(listener: () => void): () => void {
  return () => quietly(listener);
}
