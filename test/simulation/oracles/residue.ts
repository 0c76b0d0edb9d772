import { type Oracle } from './oracle.js';

/**
 * Once nobody wants anything, nothing is left of anybody, but for the timer of a call that is still under way: a renewal that a
 * release has overtaken. What was never answered is a matter of liveness.
 */
export const residue: Oracle = {
  name: 'residue',
  judge(history) {
    // None until all is whole: before, calls are swallowed that nobody waits for.
    let underWay: Map<string, number> | undefined;
    const found: string[] = [];
    for (const entry of history) {
      if (entry.event === 'unsettled' || entry.event === 'broke') return [];
      if (entry.event === 'healed') underWay = new Map();
      if (entry.event === 'sent') underWay?.set(entry.process, (underWay.get(entry.process) ?? 0) + 1);
      if (entry.event === 'answered' || entry.event === 'failed') {
        underWay?.set(entry.process, (underWay.get(entry.process) ?? 0) - 1);
      }
      if (entry.event !== 'left') continue;
      const { where, what, count } = entry;
      const expected = what === 'timers' ? Math.max(0, underWay?.get(where) ?? 0) : 0;
      if (count > expected) found.push(`${count} ${what} left in ${where}`);
    }
    return found;
  },
};
