import { setTimeout as sleep } from 'node:timers/promises';

const EVENTS = ['ballet', 'musical', 'opera'];
const SEATS = 12;

/** Some buyers a second who each keep a seat for a while, the front ones most of all: enough for lines to be seen. */
export function startGentleLoad(urls: readonly string[]): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const open = new Set<Promise<void>>();

  const keepSeat = async (number: number): Promise<void> => {
    const event = EVENTS[number % EVENTS.length]!;
    const seat = Math.floor(Math.random() ** 2 * SEATS);
    const forMs = Math.round(500 + Math.random() ** 2 * 5_000);
    const answered = fetch(`${urls[number % urls.length]}/events/${event}/seats/${seat}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ buyer: `buyer ${number}`, forMs }),
      signal: stopped.signal,
    });
    await answered.then((response) => response.text()).catch(() => undefined);
  };
  const goOn = async (): Promise<void> => {
    for (let number = 1; !stopped.signal.aborted; number += 1) {
      const kept: Promise<void> = keepSeat(number).finally(() => open.delete(kept));
      open.add(kept);
      await sleep(100 + Math.random() * 300, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };

  const going = goOn();
  return {
    async stop() {
      stopped.abort();
      await going;
      await Promise.all(open);
    },
  };
}
