import { all, type Entry, type Fault } from '../history.js';

/** What makes a store forget what it granted, or end leases before their time. */
const FORGETS: readonly Fault[] = ['failover', 'begun anew', 'clock of the store set'];

/** When the store forgot something, in true time. */
export function timesForgotten(history: readonly Entry[]): readonly number[] {
  return all(history, 'fault')
    .filter(({ fault }) => FORGETS.includes(fault))
    .map(({ at }) => at);
}
