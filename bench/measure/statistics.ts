/** What a set of samples comes to. */
export interface Spread {
  readonly p10: number;
  readonly median: number;
  readonly p90: number;
}

/** Of what several repetitions said: the median of their medians, and the lowest and the highest of them. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Between two samples, in proportion. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined) return NaN;
  return below + (above - below) * (at - Math.floor(at));
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

export function spread(samples: readonly number[]): Spread {
  return { p10: quantile(samples, 0.1), median: median(samples), p90: quantile(samples, 0.9) };
}

/** One list of samples for each repetition. */
export function estimate(repetitions: readonly (readonly number[])[]): Estimate {
  const medians = repetitions.map(median);
  return { value: median(medians), low: Math.min(...medians), high: Math.max(...medians) };
}

/**
 * How one fares against another that was measured in the same rounds. Each round is compared with itself, so that what the
 * machine did to both at that moment cancels out.
 */
export function ratios(
  one: readonly (readonly number[])[],
  other: readonly (readonly number[])[],
): readonly (readonly number[])[] {
  return one.map((samples, repetition) => samples.map((sample, round) => sample / other[repetition]![round]!));
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

/** Jain's index: 1 where all have the same, 1/n where one has everything. */
export function fairness(shares: readonly number[]): number {
  return sum(shares) ** 2 / (shares.length * sum(shares.map((share) => share ** 2)));
}
