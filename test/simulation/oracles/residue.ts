import { all } from '../history.js';
import { type Oracle } from './oracle.js';

/** Once nobody wants anything, nothing is left of anybody. What was never answered is a matter of liveness. */
export const residue: Oracle = {
  name: 'residue',
  judge(history) {
    if (all(history, 'unsettled', 'broke').length > 0) return [];
    return all(history, 'left')
      .filter(({ count }) => count > 0)
      .map(({ where, what, count }) => `${count} ${what} left in ${where}`);
  },
};
