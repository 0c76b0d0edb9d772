import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { shareSeats } from './distant-seats.js';
import { lockPlace } from './lock-place.js';
import { type OpenSale } from './open-sale.js';
import { SeatStore } from './seat.store.js';

/** The application several times over, each in a process of its own. All they have in common are the seats and the locks. */
export async function openProcesses(backend: string, count: number): Promise<OpenSale> {
  const place = await (await lockPlace(backend)).start();
  const children: ChildProcess[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(children.map(ended));
    await place.stop();
  };
  try {
    const seats = new SeatStore();
    const urls = await Promise.all(
      Array.from({ length: count }, async () => {
        const child = fork(join(import.meta.dirname, 'box-office.process.js'), [backend, place.address]);
        children.push(child);
        shareSeats(seats, child);
        return urlOf(child);
      }),
    );
    return { urls, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function urlOf(child: ChildProcess): Promise<string> {
  const died = once(child, 'exit').then(() => Promise.reject(new Error('a process of the sale did not start')));
  died.catch(() => undefined);
  const [{ url }] = (await Promise.race([once(child, 'message'), died])) as [{ url: string }];
  return url;
}

/** It closes when its parent hangs up. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  if (child.connected) child.disconnect();
  await exit;
}
