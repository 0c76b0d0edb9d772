import { type Attributes, type Meter } from '@opentelemetry/api';
import { type LockEvent } from '../core/events.js';
import { type LockTrace } from '../core/traces.js';
import { refusalOf, type Subjects } from './attributes.js';

/** In seconds. A lock that nobody else wants takes a millisecond; one that is waited for, up to half a minute. */
const SECONDS = {
  unit: 's',
  advice: {
    explicitBucketBoundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  },
};

/** A call that asks for a lock. */
interface Ask {
  readonly askedAt: number;
  readonly subject: Attributes;
}

/** What is counted and measured. */
export class LockMetrics {
  private readonly instruments: ReturnType<typeof instrumentsOf>;
  /** Calls that wait for their answer. By the trace itself, so that one that began before this is not counted out. */
  private readonly asking = new WeakMap<LockTrace, Ask>();
  /** Locks that are held, by claim and token: what is told lost after its release has ended once. */
  private readonly held = new Map<string, Attributes>();

  constructor(
    meter: Meter,
    private readonly subjects: Subjects,
  ) {
    this.instruments = instrumentsOf(meter);
  }

  asked(trace: LockTrace): void {
    const subject = this.subjects.of(trace, trace.keys);
    this.asking.set(trace, { askedAt: performance.now(), subject });
    this.instruments.waiting.add(1, subject);
  }

  answered(trace: LockTrace): void {
    const ask = this.asking.get(trace);
    if (ask === undefined) return;
    const { askedAt, subject } = ask;
    const { waiting, waitDuration, unavailable } = this.instruments;
    const seconds = (performance.now() - askedAt) / 1_000;
    waiting.add(-1, subject);
    if (trace.error === undefined) return waitDuration.record(seconds, subject);
    const refusal = { ...subject, 'error.type': refusalOf(trace.error) };
    waitDuration.record(seconds, refusal);
    unavailable.add(1, refusal);
  }

  happened(event: LockEvent): void {
    const { held, losses, renewalFailures, releaseFailures } = this.instruments;
    switch (event.type) {
      case 'acquired':
      case 'handed-over': {
        const subject = this.subjectOf(event);
        this.held.set(idOf(event), subject);
        return held.add(1, subject);
      }
      case 'released':
        return this.ended(event);
      case 'lost':
        losses.add(1, { ...this.subjectOf(event), 'error.type': event.reason });
        return this.ended(event, event.reason);
      case 'renewal-failed':
        return renewalFailures.add(1, this.subjectOf(event));
      case 'release-failed':
        return releaseFailures.add(1, this.subjectOf(event));
      default:
    }
  }

  private ended(event: LockEvent & { readonly type: 'released' | 'lost' }, loss?: string): void {
    const id = idOf(event);
    const subject = this.held.get(id);
    if (subject === undefined) return;
    this.held.delete(id);
    const { held, holdDuration } = this.instruments;
    held.add(-1, subject);
    holdDuration.record(event.heldMs / 1_000, loss === undefined ? subject : { ...subject, 'error.type': loss });
  }

  private subjectOf(event: LockEvent): Attributes {
    return this.subjects.of(event, [event.key]);
  }
}

function idOf({ claim, fencingToken }: { readonly claim: string; readonly fencingToken: bigint }): string {
  return `${claim} ${fencingToken}`;
}

function instrumentsOf(meter: Meter) {
  return {
    waitDuration: meter.createHistogram('lock.wait.duration', {
      ...SECONDS,
      description: 'From asking for a lock until it was had, or not',
    }),
    holdDuration: meter.createHistogram('lock.hold.duration', {
      ...SECONDS,
      description: 'From having a key until it was released or lost',
    }),
    waiting: meter.createUpDownCounter('lock.waiting', {
      unit: '{caller}',
      description: 'Callers that have asked for a lock and have no answer yet',
    }),
    held: meter.createUpDownCounter('lock.held', { unit: '{lock}', description: 'Keys that are held' }),
    unavailable: meter.createCounter('lock.unavailable', {
      unit: '{caller}',
      description: 'Callers that did not get their lock',
    }),
    losses: meter.createCounter('lock.losses', {
      unit: '{lock}',
      description: 'Locks that were held, and no longer surely were',
    }),
    renewalFailures: meter.createCounter('lock.renewal.failures', {
      unit: '{renewal}',
      description: 'Renewals of which it is not known whether the backend had them',
    }),
    releaseFailures: meter.createCounter('lock.release.failures', {
      unit: '{release}',
      description: 'Releases of which it is not known whether the backend had them',
    }),
  };
}
