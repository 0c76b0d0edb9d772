import { type Attributes, context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { type Histogram, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';

/** What was measured under one set of attributes. */
export interface Point {
  readonly attributes: Attributes;
  /** Of a histogram: how many were measured. */
  readonly value: number;
  /** Of a histogram. */
  readonly sum: number | undefined;
}

class Reader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

/** The SDK of OpenTelemetry, registered for this file, as an application registers it. */
export class Telemetry {
  private readonly reader = new Reader();
  private readonly exported = new InMemorySpanExporter();
  private readonly meters = new MeterProvider({ readers: [this.reader] });
  private readonly traces: BasicTracerProvider;
  /** In order. Times do not tell: the SDK counts beginnings in whole milliseconds, and ends in fractions. */
  readonly beginningsAndEnds: string[] = [];

  constructor(processors: readonly SpanProcessor[] = []) {
    const recorder: SpanProcessor = {
      onStart: ({ name }) => void this.beginningsAndEnds.push(`${name} begins`),
      onEnd: ({ name }) => void this.beginningsAndEnds.push(`${name} ends`),
      forceFlush: async () => {},
      shutdown: async () => {},
    };
    const exporting = new SimpleSpanProcessor(this.exported);
    this.traces = new BasicTracerProvider({ spanProcessors: [exporting, recorder, ...processors] });
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(this.traces);
    metrics.setGlobalMeterProvider(this.meters);
  }

  /** Everything of one metric, by attributes. */
  async points(name: string): Promise<readonly Point[]> {
    const metric = (await this.collect()).find(({ descriptor }) => descriptor.name === name);
    return (metric?.dataPoints ?? []).map(({ attributes, value }) => {
      if (typeof value === 'number') return { attributes, value, sum: undefined };
      const { count, sum } = value as Histogram;
      return { attributes, value: count, sum };
    });
  }

  /** What all points with these attributes, and any others, come to. */
  async total(name: string, attributes: Attributes = {}): Promise<number> {
    const points = (await this.points(name)).filter((point) =>
      Object.entries(attributes).every(([attribute, value]) => point.attributes[attribute] === value),
    );
    return points.reduce((sum, { value }) => sum + value, 0);
  }

  async names(): Promise<readonly string[]> {
    return (await this.collect()).map(({ descriptor }) => descriptor.name).toSorted();
  }

  /** In the order in which they ended. */
  get spans(): readonly ReadableSpan[] {
    return this.exported.getFinishedSpans();
  }

  span(name: string): ReadableSpan {
    const [span, ...others] = this.spans.filter((each) => each.name === name);
    const all = this.spans.map((each) => each.name).join(', ');
    if (span === undefined || others.length > 0) throw new Error(`not one span '${name}' among: ${all}`);
    return span;
  }

  async stop(): Promise<void> {
    for (const api of [context, trace, metrics]) api.disable();
    await this.meters.shutdown();
    await this.traces.shutdown();
  }

  private async collect() {
    const { resourceMetrics } = await this.reader.collect();
    return resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  }
}
