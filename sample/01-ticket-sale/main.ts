import 'reflect-metadata';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { faultIn, progressOf, tableOf } from './report.js';
import { type Outcome, type Rush, runRush } from './rush.js';
import { SeatStore } from './seat.store.js';
import { TicketSaleModule } from './ticket-sale.module.js';

const USAGE = `npm start               500 buyers rush for 100 seats, first without the lock and then with it
npm start -- --serve    keeps the application up, to try it by hand`;

const { serve } = readArguments();
const app = await NestFactory.create(TicketSaleModule, { logger: ['error', 'warn'] });
try {
  // Also on a busy machine, buyers shall find the connection open on which they looked at the event.
  app.getHttpServer().keepAliveTimeout = 60_000;
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  if (serve) await serveByHand(url);
  else process.exitCode = await compare(url);
} finally {
  await app.close();
}

function readArguments(): { serve: boolean } {
  try {
    return parseArgs({ options: { serve: { type: 'boolean', default: false } } }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

/** 0 if the lock made the difference: the locked sale is exact, and the unlocked one is not. */
async function compare(url: string): Promise<number> {
  const outcomes: Outcome[] = [];
  for (const variant of ['unlocked', 'locked'] as const) {
    const rush: Rush = { url, variant, seats: 100, buyers: 500 };
    outcomes.push(await runRush(rush, progressOf(rush)));
  }
  console.log(`\n${tableOf(outcomes)}\n`);

  const [unlocked, locked] = outcomes.map(faultIn);
  if (locked !== undefined) console.error(`FAILED: with the lock, ${locked}.`);
  if (unlocked === undefined) console.error('FAILED: without the lock nothing went wrong, so this run shows nothing.');
  if (locked !== undefined || unlocked === undefined) return 1;
  console.log(`Without the lock, ${unlocked}.\nWith it, the same code sold every seat once.`);
  return 0;
}

async function serveByHand(url: string): Promise<void> {
  const event = `${url}/events/concert`;
  const seatsSoldTwice = `2>/dev/null | grep -o '"seat":[0-9]*' | sort | uniq -cd`;
  await app.get(SeatStore).putOnSale('concert', 20);
  console.log(`20 seats of a concert are on sale until you press Ctrl+C. Try:

  curl ${event}
  curl -d buyer=ann ${event}/tickets/locked

  # 25 buyers at once. Shown are the seats that more than one of them has a ticket for, first without the lock:
  curl -X PUT -d seats=20 ${event}
  curl -sZ --parallel-immediate -d '' '${event}/tickets/unlocked?[1-25]' ${seatsSoldTwice}
  curl -X PUT -d seats=20 ${event}
  curl -sZ --parallel-immediate -d '' '${event}/tickets/locked?[1-25]' ${seatsSoldTwice}`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}
