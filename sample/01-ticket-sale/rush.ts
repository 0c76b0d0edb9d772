/** One run: many buyers at the same moment, over HTTP, against one of the two endpoints. */
export interface Rush {
  /** Of the processes that sell. Buyers spread over them evenly. */
  readonly urls: readonly string[];
  readonly variant: 'unlocked' | 'locked';
  readonly seats: number;
  readonly buyers: number;
}

/** What the buyers have in their hands afterwards. The application is not asked: it believes that all is well. */
export interface Outcome extends Rush {
  readonly sold: number;
  /** Seats that more than one buyer has a ticket for. */
  readonly seatsSoldTwice: number;
  /** Tickets for which there is no seat. */
  readonly oversold: number;
  readonly refused: number;
  readonly requestsPerSecond: number;
  readonly waitP50Ms: number;
  readonly waitP99Ms: number;
}

export async function runRush(rush: Rush, onAnswer: (answers: number, sold: number) => void): Promise<Outcome> {
  const { urls, variant, seats, buyers } = rush;
  const events = urls.map((url) => `${url}/events/${variant}-concert`);
  await send('PUT', events[0]!, { seats });
  // They all look at the event first. That opens their connections, which the times are not to include.
  await Promise.all(Array.from({ length: buyers }, (_, index) => send('GET', events[index % events.length]!)));

  const waits: number[] = [];
  const tickets: number[] = [];
  const buy = async (index: number): Promise<void> => {
    const event = events[index % events.length]!;
    const buyer = `buyer ${index + 1}`;
    const askedAt = performance.now();
    const { status, body } = await send('POST', `${event}/tickets/${variant}`, { buyer });
    waits.push(performance.now() - askedAt);
    if (status === 201) tickets.push((body as { seat: number }).seat);
    onAnswer(waits.length, tickets.length);
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: buyers }, (_, index) => buy(index)));
  const tookMs = performance.now() - startedAt;

  const taken = new Set(tickets);
  const isSoldTwice = (seat: number): boolean => tickets.indexOf(seat) !== tickets.lastIndexOf(seat);
  waits.sort((a, b) => a - b);
  return {
    ...rush,
    sold: tickets.length,
    seatsSoldTwice: [...taken].filter(isSoldTwice).length,
    oversold: tickets.length - taken.size,
    refused: buyers - tickets.length,
    requestsPerSecond: (buyers * 1000) / tookMs,
    waitP50Ms: waits[Math.ceil(buyers * 0.5) - 1]!,
    waitP99Ms: waits[Math.ceil(buyers * 0.99) - 1]!,
  };
}

/** 409: all is sold. 423: the wait for the lock was over. */
const EXPECTED = [200, 201, 409, 423];

async function send(method: string, url: string, content?: object): Promise<{ status: number; body: unknown }> {
  const init = content && { body: JSON.stringify(content), headers: { 'content-type': 'application/json' } };
  const response = await fetch(url, { method, ...init });
  const text = await response.text();
  if (!EXPECTED.includes(response.status)) throw new Error(`${method} ${url} answered ${response.status}: ${text}`);
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}
