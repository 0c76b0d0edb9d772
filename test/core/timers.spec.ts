import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { systemClock } from '../../lib/core/clock.js';
import { type Timer, Timers } from '../../lib/core/timers.js';
import { VirtualClock } from './virtual-clock.js';

describe('the timers of a manager', () => {
  it('ring in order of their time, each once, unless cancelled', async () => {
    const plan = fc.array(fc.record({ dueIn: fc.nat(500), cancelled: fc.boolean() }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(plan, async (wanted) => {
        const clock = new VirtualClock();
        const timers = new Timers(clock);
        const start = clock.now();
        const rung: number[] = [];
        const set = wanted.map(({ dueIn }) => timers.set(start + dueIn, true, () => rung.push(clock.now() - start)));
        set.forEach((timer, index) => wanted[index]!.cancelled && timers.cancel(timer));
        await clock.pass(600);
        const expected = wanted.filter(({ cancelled }) => !cancelled).map(({ dueIn }) => dueIn);
        expect(rung).toEqual(expected.toSorted((a, b) => a - b));
        expect(timers.size).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('may be set and cancelled by a timer that rings', async () => {
    const clock = new VirtualClock();
    const timers = new Timers(clock);
    const rung: string[] = [];
    const doomed: Timer[] = [];
    timers.set(clock.now() + 10, true, () => {
      rung.push('first');
      timers.set(clock.now() + 5, true, () => rung.push('second'));
      doomed.forEach((timer) => timers.cancel(timer));
    });
    doomed.push(timers.set(clock.now() + 10, true, () => rung.push('never')));
    await clock.pass(100);
    expect(rung).toEqual(['first', 'second']);
  });

  it('ring when they are due, though the process was stopped between a look at the clock and the alarm', async () => {
    const clock = new VirtualClock();
    const alarm = clock.alarm.bind(clock);
    let stoppedMs = 3_000;
    clock.alarm = (delayMs, ring) => {
      clock.stall(stoppedMs);
      stoppedMs = 0;
      return alarm(delayMs, ring);
    };
    const timers = new Timers(clock);
    const due = clock.now() + 500;
    let rungAt: number | undefined;
    timers.set(due, true, () => (rungAt = clock.now()));
    await clock.pass(1_000);
    expect(rungAt).toBe(due + 2_500);
    expect(timers.size).toBe(0);
  });

  it('do not ring early when they are further away than a timeout of Node can be', async () => {
    const timers = new Timers(systemClock);
    let rung = false;
    const timer = timers.set(systemClock.now() + 2 ** 31 + 5_000, false, () => (rung = true));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(rung).toBe(false);
    timers.cancel(timer);
  });
});
