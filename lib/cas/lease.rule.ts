/** A call to the store: when it was sent and when its answer was here, by the clock of the process that made it. */
export interface Exchange {
  readonly sentAt: number;
  readonly receivedAt: number;
}

/**
 * When a lease ends, for whom it is and for everybody else. With compare-and-swap, it is all that safety rests on: see
 * docs/backends/cas.md for the proof.
 */
export interface LeaseRule {
  /** Until when its owner may believe in it, after the exchange that wrote its last beat. */
  ownersEnd(beat: Exchange, leaseMs: number, driftRatio: number): number;
  /** From when on others may drop the claim, after the exchange that showed them the beat, if that goes on to stand still. */
  othersEnd(seen: Exchange, leaseMs: number, driftRatio: number): number;
}

/**
 * The beat was written no sooner than it was sent, and no later than anybody received it: the owner counts from before it,
 * and the others from after it. The fastest of the clocks that are in order measures the longer lease, and the slowest the
 * shorter one, in the same time.
 */
export const leaseRule: LeaseRule = {
  ownersEnd: ({ sentAt }, leaseMs, driftRatio) => sentAt + leaseMs * (1 - driftRatio),
  othersEnd: ({ receivedAt }, leaseMs, driftRatio) => receivedAt + leaseMs * (1 + driftRatio),
};
