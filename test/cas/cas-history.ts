/** A time during which somebody was sure to hold the key, by the monotonic clock that all processes share. */
export interface Hold {
  readonly from: number;
  readonly to: number;
  /** How many holders it allows, itself included. */
  readonly slots: number;
  readonly token: bigint;
}

/** Every way in which two holds contradict each other, as sentences. */
export function violations(holds: readonly Hold[]): string[] {
  const inOrder = holds.toSorted((a, b) => a.from - b.from);
  return inOrder.flatMap((hold, index) => {
    const before = inOrder.slice(0, index);
    const inside = [...before.filter(({ to }) => to > hold.from), hold];
    const most = Math.min(...inside.map(({ slots }) => slots));
    const crowded = inside.length > most ? [`${inside.length} inside where ${most} may be: ${inside.map(print)}`] : [];
    const larger = before.filter((other) => {
      // Those who share a key may hear of it in any order.
      return Math.min(other.slots, hold.slots) === 1 && other.to <= hold.from && other.token >= hold.token;
    });
    return [...crowded, ...larger.map((other) => `${print(hold)} has no larger token than ${print(other)} before it`)];
  });
}

function print({ from, to, slots, token }: Hold): string {
  return `[${from.toFixed(3)}–${to.toFixed(3)} slots ${slots} token ${token}]`;
}

export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
