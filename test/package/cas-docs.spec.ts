import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { LockService } from 'nestjs-locked';
import { postgresTableSql } from 'nestjs-locked/cas/postgres';
import { AppModule } from '../../sample/00-store/module.js';
import { ROOT } from './source.js';

const page = join(ROOT, 'docs/backends/cas.md');

describe('docs/backends/cas.md', () => {
  it('has its code from files that CI runs', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'tools/readme.mjs'), page], {
      encoding: 'utf8',
    });
    expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: expect.stringMatching(/^[1-9]\d* blocks/) });
  });

  it('has the SQL for migrations as it is', () => {
    expect(readFileSync(page, 'utf8')).toContain(`\n${postgresTableSql()}\n`);
  });

  it('has a complete store of under 60 lines', () => {
    const [, store] = /#folder-store -->\n+```ts\n([\s\S]*?)```/.exec(readFileSync(page, 'utf8'))!;
    expect(store!.split('\n').length).toBeLessThan(60);
  });

  it('locks with the module that it shows', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nestjs-locked-docs-'));
    process.env['LOCKS_FOLDER'] = folder;
    try {
      const app = await Test.createTestingModule({ imports: [AppModule] }).compile();
      expect(await app.get(LockService).run('a', () => 'done')).toBe('done');
      await app.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
