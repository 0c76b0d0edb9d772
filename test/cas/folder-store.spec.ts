import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { FolderStore } from '../../sample/00-store/folder.store.js';

const root = mkdtempSync(join(tmpdir(), 'nestjs-locked-folder-'));
afterAll(() => rmSync(root, { recursive: true }));

/** What is kept under the key, as a test wants it. */
function folderOf(key: string): string {
  const folder = join(root, createHash('sha256').update(key).digest('hex'));
  mkdirSync(folder);
  return folder;
}

describe('the store of docs/backends/cas.md, where the disk does not do as it is told', () => {
  const store = new FolderStore(root);

  it('takes a rename that failed for none that somebody else was faster with', async () => {
    const folder = folderOf('rename');
    // The name of the next version is longer than names can be.
    const longest = `${'9'.repeat(230)}.`;
    writeFileSync(join(folder, longest), '');
    await expect(store.write('rename', Buffer.from('a'), null)).rejects.toMatchObject({ code: 'ENAMETOOLONG' });
    // Nobody knows whether it was renamed: what it would lead to stays.
    expect(readdirSync(folder).toSorted()).toEqual([longest, expect.stringMatching(/^value-/)]);
  });

  it('says what it cannot read, and does not look again for ever', async () => {
    const folder = folderOf('read');
    writeFileSync(join(folder, '7.value'), '');
    mkdirSync(join(folder, 'value'));
    await expect(store.read('read')).rejects.toMatchObject({ code: 'EISDIR' });
  });
});
