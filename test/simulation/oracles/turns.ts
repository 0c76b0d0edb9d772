import { all } from '../history.js';
import { type Oracle } from './oracle.js';

/** Siblings that enter their lock again take turns. */
export const turns: Oracle = {
  name: 'turns',
  judge(history) {
    const inside = new Set<string>();
    return all(history, 'entered', 'leftAgain').flatMap(({ event, caller, at }) => {
      if (event === 'leftAgain') inside.delete(caller);
      else if (inside.has(caller)) return [`at ${at.toFixed(1)} ms siblings of ${caller} are in together`];
      else inside.add(caller);
      return [];
    });
  },
};
