// #region folder-store
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CasStore, type Version, type Versioned, type Written } from 'nestjs-locked/cas';

/**
 * Each key has a folder, and in it a file `<version>.<name of the file with the value>`. To write is to rename that file:
 * of all who try only one can, since no name comes twice. For the processes of one machine, on a disk of its own.
 */
export class FolderStore implements CasStore {
  readonly name = 'folder';

  constructor(private readonly root: string) {}

  async read(key: string): Promise<Versioned | null> {
    const { folder, version, file } = await this.latest(key);
    if (file === '') return null;
    const value = await readFile(join(folder, file)).catch(nullIfGone);
    return value === null ? this.read(key) : { version, value };
  }

  async write(key: string, next: Uint8Array | null, expected: Version | null): Promise<Written> {
    const { folder, version, file } = await this.latest(key);
    if ((file === '' ? null : version) !== expected) return { ok: false, current: await this.read(key) };
    const nextFile = next === null ? '' : `value-${randomUUID()}`;
    if (next !== null) await writeFile(join(folder, nextFile), next);
    const written = rename(join(folder, `${version}.${file}`), join(folder, `${version + 1n}.${nextFile}`));
    if ((await written.catch(nullIfGone)) === null) {
      if (next !== null) await rm(join(folder, nextFile));
      return { ok: false, current: await this.read(key) };
    }
    if (file !== '') await rm(join(folder, file));
    return { ok: true, version: version + 1n };
  }

  /** The folder stays when the line has gone: versions must go on rising. */
  private async latest(key: string): Promise<{ folder: string; version: Version; file: string }> {
    const folder = join(this.root, createHash('sha256').update(key).digest('hex'));
    const names = await readdir(folder).catch(() => this.begin(folder));
    const found = names.map((name) => /^(\d+)\.(.*)$/.exec(name)).find((match) => match !== null);
    // A file that is renamed just now may be in no list.
    return found ? { folder, version: BigInt(found[1]!), file: found[2]! } : this.latest(key);
  }

  private async begin(folder: string): Promise<string[]> {
    await mkdir(this.root, { recursive: true });
    const draft = await mkdtemp(`${folder}-`);
    await writeFile(join(draft, '0.'), '');
    await rename(draft, folder).catch(() => rm(draft, { recursive: true }));
    return readdir(folder);
  }
}

/** Gone is what somebody faster has renamed. After any other error nobody knows what was done. */
function nullIfGone(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
// #endregion
