import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type INestApplication } from '@nestjs/common';
import { OperatedModule } from '../../sample/00-readme/dashboard.js';
import { ROOT } from '../package/source.js';
import { run } from './applications.js';

describe('docs/dashboard.md', () => {
  it('has its code from files that CI runs', () => {
    const page = join(ROOT, 'docs/dashboard.md');
    const tool = spawnSync(process.execPath, [join(ROOT, 'tools/readme.mjs'), page], { encoding: 'utf8' });
    expect([tool.status, tool.stdout + tool.stderr]).toEqual([0, expect.stringMatching(/^[1-9]\d* blocks/)]);
  });

  it('shows the page to operators, and to nobody else', async () => {
    let user: object | undefined;
    const prepare = (app: INestApplication): unknown =>
      app.use((request: { user?: object | undefined }, _response: unknown, next: () => void) => {
        request.user = user;
        next();
      });
    const { url } = await run({ imports: [OperatedModule] }, { prepare });
    const statusFor = async (somebody?: object): Promise<number> => {
      user = somebody;
      return (await fetch(`${url}/locks`)).status;
    };
    expect(await statusFor()).toBe(403);
    expect(await statusFor({ roles: ['author'] })).toBe(403);
    expect(await statusFor({ roles: ['author', 'operator'] })).toBe(200);
  });
});
