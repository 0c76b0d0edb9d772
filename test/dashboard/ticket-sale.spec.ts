import { describe, expect, it } from '@jest/globals';
import { type Page } from 'playwright-core';
import { redisInstalled } from '../support/redis-installed.js';
import { until } from '../support/until.js';
import { expectAccessible, shoot, withBrowser } from './browser.js';
import { TicketSale } from './ticket-sale.js';

const BACKENDS = redisInstalled ? [['memory'], ['redis', '--backend', 'redis']] : [['memory']];

describe.each(BACKENDS)('the page of npm start -- --serve on %s', (name, ...args) => {
  const browser = withBrowser();

  it('shows holders and waiters come and go, and takes a lock away', async () => {
    const sale = await TicketSale.start(...args);
    let code: number | null = null;
    try {
      const { page, complaints, close } = await browser.open(sale.url!);
      await page.locator('#connection[data-state=live]').waitFor();
      await changesUnderLoad(page);
      await page.locator('#hottest li').first().waitFor();
      await shoot(page, `ticket-sale-${name}`);

      const victim = keepSeat(sale, 7);
      await page.getByLabel('Keys that begin with').fill('event:gala:');
      await page.locator('#rows').getByRole('button', { name: 'event:gala:seat:7' }).click();
      await page.getByText('1 holds, 0 wait.').waitFor();
      const next = keepSeat(sale, 7, 50);
      await page.getByText('1 holds, 1 waits.').waitFor();
      expect(await page.locator('#rows tr').count()).toBe(1);
      await expectAccessible(page);
      await page.getByRole('button', { name: 'Force release of position 1' }).click();
      await shoot(page, `ticket-sale-${name}-release`);
      await page.getByRole('button', { name: 'Force release', exact: true }).click();
      expect(await victim).toEqual({
        status: 500,
        body: expect.objectContaining({ code: 'LOCK_LOST', reason: 'forced' }),
      });
      expect((await next).status).toBe(201);
      await page.locator('#losses li', { hasText: 'event:gala:seat:7' }).first().waitFor();
      await shoot(page, `ticket-sale-${name}-released`);
      expect(complaints).toEqual([]);
      await close();
    } finally {
      code = await sale.interrupt();
    }
    expect(code).toBe(0);
  }, 300_000);
});

/** Not the same twice, for each of what changes: keys, how many wait. */
async function changesUnderLoad(page: Page): Promise<void> {
  const seen = { keys: new Set<string>(), waiting: new Set<string>() };
  await until(
    'keys and waiters change',
    async () => {
      const keys = await page.locator('#rows button').allTextContents();
      seen.keys.add(keys.join());
      for (const waiting of await page.locator('#rows .waiters').allTextContents()) seen.waiting.add(waiting);
      return seen.keys.size > 3 && seen.waiting.size > 1;
    },
    60_000,
  );
}

async function keepSeat(sale: TicketSale, seat: number, forMs = 60_000): Promise<{ status: number; body: unknown }> {
  const response = await fetch(new URL(`/events/gala/seats/${seat}`, sale.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ buyer: 'ann', forMs }),
    signal: AbortSignal.timeout(60_000),
  });
  return { status: response.status, body: await response.json() };
}
