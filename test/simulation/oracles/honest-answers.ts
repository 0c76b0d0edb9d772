import { all } from '../history.js';
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
    const notHeld = all(history, 'given').filter(({ held, lostBy }) => !held && lostBy !== 'closed');
    return [
      ...odd.map(({ caller, text }) => `${caller} failed with ${text}`),
      ...notHeld.map(({ caller, key }) => `${caller} was given ${key}, which is not held`),
    ];
  },
};
