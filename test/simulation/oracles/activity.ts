import { all } from '../history.js';
import { type Oracle } from './oracle.js';

const LEAST_ASKED = 9;
const LEAST_GIVEN = 3;

/** A run in which nothing happened proves nothing. */
export const activity: Oracle = {
  name: 'activity',
  judge(history) {
    const asked = all(history, 'asked').length;
    const given = all(history, 'given').filter(({ held }) => held).length;
    const ends = all(history, 'left').some(({ where }) => where === 'store');
    return [
      ...(asked < LEAST_ASKED ? [`only ${asked} callers asked for anything`] : []),
      ...(given < LEAST_GIVEN ? [`only ${given} locks were given`] : []),
      ...(ends ? [] : ['it did not come to its end']),
    ];
  },
};
