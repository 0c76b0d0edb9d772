import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Core from 'nestjs-locked';
import type * as Memory from 'nestjs-locked/memory';

/** Where the package looks whether anybody listens, and what stands there in a build of which nobody ever does. */
const LOOKS: readonly (readonly [look: RegExp, answer: string])[] = [
  [/\b(?:this\.)?(?:context\.)?events\.wanted\b/g, 'false'],
  [/\bchannel\.hasSubscribers\b/g, 'false'],
];
/** All that a lock on memory needs. */
const PARTS = ['core', 'memory'];

export interface TwoBuilds {
  readonly asBuilt: Core.LockManager;
  readonly withoutEvents: Core.LockManager;
  /** How many looks were taken out. */
  readonly looks: number;
  close(): Promise<void>;
}

/** The package as it was built, and with all looks for listeners taken out. Each is a copy: so both are loaded alike. */
export async function twoBuilds({ asBuiltFirst }: { readonly asBuiltFirst: boolean }): Promise<TwoBuilds> {
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-locked-bench-'));
  try {
    const asBuilt = copy(folder, 'as-built');
    const without = copy(folder, 'without-events');
    const looks = takeOutLooks(join(without, 'core'));
    const first = await open(asBuiltFirst ? asBuilt : without);
    const second = await open(asBuiltFirst ? without : asBuilt);
    const managers = [first, second];
    return {
      asBuilt: asBuiltFirst ? first : second,
      withoutEvents: asBuiltFirst ? second : first,
      looks,
      close: async () => void (await Promise.all(managers.map((manager) => manager.close()))),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function copy(folder: string, name: string): string {
  const to = join(folder, name);
  for (const part of PARTS) cpSync(join(import.meta.dirname, '../../dist', part), join(to, part), { recursive: true });
  writeFileSync(join(to, 'package.json'), '{ "type": "module" }');
  return to;
}

function takeOutLooks(folder: string): number {
  let found = 0;
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.js'))) {
    const path = join(folder, file);
    const text = LOOKS.reduce(
      (text, [look, answer]) => {
        return text.replace(look, () => {
          found += 1;
          return answer;
        });
      },
      readFileSync(path, 'utf8'),
    );
    writeFileSync(path, text);
  }
  return found;
}

async function open(build: string): Promise<Core.LockManager> {
  const load = async <T>(part: string): Promise<T> => import(pathToFileURL(join(build, part, 'index.js')).href) as T;
  const { LockManager } = await load<typeof Core>('core');
  const { MemoryBackend } = await load<typeof Memory>('memory');
  return new LockManager({ backend: new MemoryBackend() });
}
