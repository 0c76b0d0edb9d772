import { describe, expect, it } from '@jest/globals';
import { getLockServiceToken, LockModule, LockService } from 'nestjs-locked';
import { LockDashboardModule } from 'nestjs-locked/dashboard';
import { MemoryBackend } from 'nestjs-locked/memory';
import { RedisBackend } from 'nestjs-locked/redis';
import { describeOnRedis } from '../support/redis-installed.js';
import { startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { run } from './applications.js';
import { expectAccessible, shoot, withBrowser } from './browser.js';

const HOSTILE = `<img src=x onerror="document.title='taken'">\u202e&amp;`;

describe('the page', () => {
  const browser = withBrowser();

  it.each(['light', 'dark'] as const)('is usable by everybody, in the %s', async (colorScheme) => {
    const { app, url } = await run({ imports: [LockModule.forRoot(), LockDashboardModule.forRoot()] });
    const locks = app.get(LockService);
    await locks.acquire('order:1', { site: 'Orders.ship' });
    void locks.acquire('order:1', { mode: 'shared', site: 'Orders.look', waitMs: 60_000 }).catch(() => undefined);
    await locks.acquire('order:2', { mode: { limit: 3 } });
    const gone = await locks.acquire('order:3');
    await locks.forceRelease('order:3', { claim: (await locks.inspect('order:3')).holders[0]!.claim });
    await until('it is lost', () => !gone.held);

    const { page, complaints, close } = await browser.open(`${url}/locks`, { colorScheme });
    await page.locator('#rows').getByRole('button', { name: 'order:1' }).click();
    await page.getByText('1 holds, 1 waits.').waitFor();
    await page.getByText('lost: taken away by hand').waitFor();
    await expectAccessible(page);
    await shoot(page, `page-${colorScheme}`);
    // By keyboard alone, and back to where one was.
    await page.getByRole('button', { name: 'Force release of position 2' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Take the lock away?' }).waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Cancel');
    await expectAccessible(page);
    await shoot(page, `dialog-${colorScheme}`);
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Force release…');
    await page.getByLabel('Keys that begin with').fill('nothing');
    await page.getByText('No key that begins with “nothing” is locked now.').waitFor();
    await expectAccessible(page);
    await shoot(page, `empty-${colorScheme}`);
    expect(complaints).toEqual([]);
    await close();
  });

  it('shows a key, an owner and a service as the text that they are', async () => {
    const hostile = `${HOSTILE}<script>document.title='taken'</script>`;
    const { app, url } = await run({
      imports: [
        LockModule.forRoot({ name: HOSTILE, backend: new MemoryBackend(), owner: { application: '<b>x' } }),
        LockDashboardModule.forRoot(),
      ],
    });
    const locks = app.get<LockService>(getLockServiceToken(HOSTILE));
    const lock = await locks.acquire(hostile, { site: HOSTILE });
    const { page, complaints, close } = await browser.open(`${url}/locks`);
    await page.locator('#rows button').click();
    await page.locator('#line-body li').waitFor();
    expect(await page.locator('#rows button').textContent()).toBe(hostile.replaceAll('\u202e', '\\u{202e}'));
    await page.getByRole('button', { name: /^Force release of/ }).click();
    await page.getByRole('dialog').waitFor();
    await shoot(page, 'hostile');
    await page.getByRole('button', { name: 'Force release', exact: true }).click();
    await until('it is lost', () => !lock.held);
    await page.locator('#losses li').first().waitFor();
    expect(await page.title()).toBe('Locks');
    expect(await page.locator('img, main script, main b').count()).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });

  it('is there within moments with 10,000 keys, and stays smooth', async () => {
    const { app, url } = await run({ imports: [LockModule.forRoot(), LockDashboardModule.forRoot()] });
    const locks = app.get(LockService);
    for (let number = 0; number < 10_000; number += 1) await locks.acquire(`order:${String(number).padStart(5, '0')}`);
    // Once, so that it is not the start of the browser that is measured.
    await (await browser.open(`${url}/locks`)).close();
    const { page, complaints, close } = await browser.open(`${url}/locks`);
    await page.locator('#rows tr').nth(49).waitFor();
    // Since the page was asked for.
    const tookMs = Number(await page.evaluate('performance.now()'));
    const painted = await page.evaluate(
      `performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity`,
    );
    process.stdout.write(
      `with 10,000 keys: first paint ${Number(painted).toFixed()} ms, all rows ${tookMs.toFixed()} ms\n`,
    );
    expect(painted).toBeLessThan(3_000);
    expect(tookMs).toBeLessThan(10_000);
    expect(await page.locator('#count').textContent()).toBe('1–50 of 10,000 keys');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.locator('#rows').getByRole('button', { name: 'order:00050' }).waitFor();
    expect(await page.locator('#count').textContent()).toBe('51–100 of 10,000 keys');
    await page.goBack();
    await page.locator('#rows').getByRole('button', { name: 'order:00000' }).waitFor();
    await shoot(page, 'ten-thousand');
    expect(complaints).toEqual([]);
    await close();
  });

  it('says that it is not connected when the application is gone', async () => {
    const { app, url } = await run({ imports: [LockModule.forRoot(), LockDashboardModule.forRoot()] });
    const { page, close } = await browser.open(`${url}/locks`);
    await page.locator('#connection[data-state=live]').waitFor();
    await page.getByText('Nothing is locked now.').waitFor();
    await app.close();
    await page.locator('#connection:not([data-state=live])').waitFor();
    await close();
  });
});

describeOnRedis('the page over two backends', () => {
  const browser = withBrowser();

  it('shows both, and takes away from either', async () => {
    const server = await startRedisServer();
    try {
      const { app, url } = await run({
        imports: [
          LockModule.forRoot(),
          LockModule.forRoot({ name: 'shared', backend: new RedisBackend({ url: server.url }) }),
          LockDashboardModule.forRoot(),
        ],
      });
      const shared = app.get<LockService>(getLockServiceToken('shared'));
      await app.get(LockService).acquire('order:1');
      const lock = await shared.acquire('order:1');
      const { page, complaints, close } = await browser.open(`${url}/locks`);
      await page.locator('#rows tr').nth(1).waitFor();
      expect(await page.locator('#rows .service').allTextContents()).toEqual(['default', 'shared']);
      expect(await page.locator('#services li').allTextContents()).toEqual(['defaultmemory', 'sharedredis']);
      await page.locator('#rows tr', { hasText: 'shared' }).getByRole('button').click();
      await page.getByRole('button', { name: /^Force release of/ }).click();
      await page.getByRole('button', { name: 'Force release', exact: true }).click();
      await until('it is lost', () => !lock.held);
      await expect(app.get(LockService).inspect('order:1')).resolves.toMatchObject({ holders: [{}] });
      await shoot(page, 'two-backends');
      expect(complaints).toEqual([]);
      await close();
      await app.close();
    } finally {
      await server.stop();
    }
  });
});
