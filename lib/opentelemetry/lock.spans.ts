import { context, type Context, type Span, SpanStatusCode, trace as tracing, type Tracer } from '@opentelemetry/api';
import { type OwnedLock } from '../core/lock.js';
import { type LockTrace } from '../core/traces.js';
import { refusalOf, type Subjects } from './attributes.js';

/** A call that asks for a lock, and the context that it was made in. */
interface Ask {
  readonly span: Span;
  readonly caller: Context;
}

/**
 * Two spans a lock, both children of the span that was active for whoever asked: `lock.acquire` until it is had or not, and
 * `lock.hold` until it is released or lost. What the body of a `run` starts is a child of the latter.
 */
export class LockSpans {
  private readonly asking = new WeakMap<LockTrace, Ask>();
  private readonly holding = new WeakMap<object, Span>();

  constructor(
    private readonly tracer: Tracer,
    private readonly subjects: Subjects,
  ) {}

  /** The context to ask in: what a client of the backend starts is a child of the span. */
  asked(trace: LockTrace): Context {
    const caller = context.active();
    const span = this.start('lock.acquire', trace, caller);
    this.asking.set(trace, { span, caller });
    return tracing.setSpan(caller, span);
  }

  answered(trace: LockTrace, guard: (listener: () => void) => () => void): void {
    const ask = this.asking.get(trace);
    if (ask === undefined) return;
    const { span, caller } = ask;
    if (trace.error !== undefined) {
      fail(span, refusalOf(trace.error));
      return span.end();
    }
    const lock = trace.result as OwnedLock;
    const tokens = [...lock.fencingTokens.values()].map(String);
    if (span.isRecording()) span.setAttribute('lock.fencing_tokens', tokens);
    span.end();
    const hold = this.start('lock.hold', trace, caller);
    if (!hold.isRecording()) return;
    hold.setAttribute('lock.fencing_tokens', tokens);
    this.holding.set(lock, hold);
    let loss: string | undefined;
    const end = guard(() => {
      if (loss !== undefined) fail(hold, loss);
      hold.end();
    });
    lock.onEnd((lostBy) => {
      loss = lostBy?.reason;
      end();
    });
  }

  /** The context to run the body in. */
  held({ lock }: LockTrace): Context {
    const hold = lock && this.holding.get(lock);
    return hold === undefined ? context.active() : tracing.setSpan(context.active(), hold);
  }

  private start(what: string, trace: LockTrace, parent: Context): Span {
    const attributes = this.subjects.of(trace, trace.keys);
    const name = attributes['lock.site'] ?? attributes['lock.key.template'] ?? trace.service;
    return this.tracer.startSpan(`${what} ${String(name)}`, { attributes }, parent);
  }
}

/** Without the message of the error, which names keys. */
function fail(span: Span, why: string): void {
  span.setAttribute('error.type', why);
  span.setStatus({ code: SpanStatusCode.ERROR });
}
