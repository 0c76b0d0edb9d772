import { all, type Entry } from '../history.js';
import { type Oracle } from './oracle.js';

/** Contention, loss and "not known" are never the same error, and what is given is held. */
export const honestAnswers: Oracle = {
  name: 'honest answers',
  judge(history) {
    const waits = new Map(all(history, 'asked').map(({ caller, waitMs }) => [caller, waitMs]));
    const odd = all(history, 'refused').filter(({ caller, code, suspect, clocksInOrder }) => {
      const neverTimesOut = code === 'LOCK_UNAVAILABLE' && waits.get(caller) === Infinity;
      const never = !['LOCK_UNAVAILABLE', 'LOCK_LOST', 'LOCK_BACKEND'].includes(code);
      return never || neverTimesOut || (suspect && clocksInOrder);
    });
    // A clock that is set in the very moment makes a lock suspect, and no more.
    const inDoubt = ({ lostBy, clocksInOrder }: Entry<'given'>): boolean => lostBy === undefined && !clocksInOrder;
    const notHeld = all(history, 'given').filter(
      (given) => !given.held && given.lostBy !== 'closed' && !inDoubt(given),
    );
    return [
      ...odd.map(({ caller, text }) => `${caller} failed with ${text}`),
      ...notHeld.map(({ caller, key }) => `${caller} was given ${key}, which is not held`),
    ];
  },
};
