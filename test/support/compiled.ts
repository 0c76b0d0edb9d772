import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { transformSync } from '@swc/core';
// @ts-expect-error it is JavaScript, and has no types
import config from '../../jest.config.js';

const ROOT = join(import.meta.dirname, '../..');
const [, options] = config.projects[0].transform['\\.ts$'] as [string, object];

/**
 * Folders of the repository as JavaScript, for threads: the hooks of `typescript.mjs` would load the compiler anew for each
 * thread, which now and then ends the process (SIGSEGV).
 */
export class Compiled implements Disposable {
  private readonly folder = mkdtempSync(join(tmpdir(), 'nestjs-locked-threads-'));

  constructor(...folders: readonly string[]) {
    cpSync(join(ROOT, 'package.json'), join(this.folder, 'package.json'));
    symlinkSync(join(ROOT, 'node_modules'), join(this.folder, 'node_modules'));
    for (const folder of folders) {
      for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
        if (name.endsWith('.ts')) this.compile(join(folder, name));
        if (name.endsWith('.lua')) this.copy(join(folder, name));
      }
    }
  }

  /** Where the JavaScript of a TypeScript file is. */
  pathOf(source: string): string {
    return join(this.folder, source.replace(/\.ts$/, '.js'));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private copy(source: string): void {
    mkdirSync(dirname(join(this.folder, source)), { recursive: true });
    cpSync(join(ROOT, source), join(this.folder, source));
  }

  private compile(source: string): void {
    const filename = join(ROOT, source);
    const { code } = transformSync(readFileSync(filename, 'utf8'), { ...options, filename });
    mkdirSync(dirname(this.pathOf(source)), { recursive: true });
    writeFileSync(this.pathOf(source), code);
  }
}
