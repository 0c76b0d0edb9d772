/** One of those who are measured in turn. */
export interface Way<Sample> {
  readonly name: string;
  /** One turn. Short, so that the machine is the same for everybody in a round. */
  turn(): Promise<Sample>;
}

export interface Rounds {
  /** The first fifth is not counted: the engine compiles, and connections warm up. */
  readonly forMs: number;
  readonly atLeast: number;
}

const WARM_UP = 0.2;

/**
 * Round after round, in each of which everybody has a turn. Who begins goes round as well: whoever follows a long turn finds
 * other caches than whoever follows a short one.
 */
export async function interleave<Sample>(
  ways: readonly Way<Sample>[],
  { forMs, atLeast }: Rounds,
): Promise<Map<string, Sample[]>> {
  const samples = new Map<string, Sample[]>(ways.map(({ name }) => [name, []]));
  const startedAt = performance.now();
  const elapsedMs = (): number => performance.now() - startedAt;
  for (let round = 0, counted = 0; counted < atLeast || elapsedMs() < forMs; round += 1) {
    const counts = elapsedMs() >= forMs * WARM_UP;
    for (let index = 0; index < ways.length; index += 1) {
      const way = ways[(index + round) % ways.length]!;
      const sample = await way.turn();
      if (counts) samples.get(way.name)!.push(sample);
    }
    if (counts) counted += 1;
  }
  return samples;
}
