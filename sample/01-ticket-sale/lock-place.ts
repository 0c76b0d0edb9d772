import { readdirSync } from 'node:fs';
import { type LockBackend } from 'nestjs-locked';

/** Where locks live that several processes share. A file `<name>.lock-place.ts` is `--backend <name>`. */
export interface LockPlace {
  /** Starts a server for this run alone, unless the environment names one. */
  start(): Promise<StartedPlace>;
  /** What each process gives to LockModule. */
  connect(address: string): LockBackend;
}

export interface StartedPlace {
  readonly address: string;
  stop(): Promise<void>;
}

const SUFFIX = '.lock-place.js';

export function lockPlaces(): string[] {
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith(SUFFIX));
  return files.map((file) => file.slice(0, -SUFFIX.length)).toSorted();
}

export async function lockPlace(name: string): Promise<LockPlace> {
  const { default: place } = (await import(`./${name}${SUFFIX}`)) as { default: LockPlace };
  return place;
}
