import { Redis } from 'ioredis';
import { type Contender } from './contender.js';

/**
 * The floor of a hand-off: one process publishes, the other hears it. The first that opens it in a process says by its key
 * which of the two it is; nothing is locked.
 */
export const barePush: Contender = {
  name: 'a bare push',
  kind: 'by hand',
  sends: ['publish', 'subscribe'],
  async open(url) {
    const client = new Redis(url);
    const messages = new Redis(url);
    const heard = new Map<string, () => void>();
    messages.on('message', (channel: string) => heard.get(channel)?.());
    return {
      async acquire(place) {
        const [key, role] = place.split('@') as [string, string];
        if (role === 'taker') {
          if (!heard.has(key)) await messages.subscribe(key);
          await new Promise<void>((resolve) => heard.set(key, resolve));
        }
        return async () => void (role === 'giver' && (await client.publish(key, '')));
      },
      async close() {
        client.disconnect();
        messages.disconnect();
      },
    };
  },
};
