// Looked up once: a global is slow to reach from within a test, and this one is reached after everything that happens.
const { setImmediate } = globalThis;

/** A hundred times what a run takes. */
const MOST_STEPS = 60_000;

interface Happening {
  readonly due: number;
  readonly happen: () => void;
}

/** True time, which no process can read, and what happens in it: in order, each with all that follows at once. */
export class Simulation {
  time = 0;
  /** How many things have happened. */
  step = 0;
  private readonly agenda: Happening[] = [];

  /** What it returns calls it off. */
  at(due: number, happen: () => void): () => void {
    const happening = { due: due > this.time ? due : this.time, happen };
    this.agenda.splice(this.placeFor(happening.due), 0, happening);
    return () => {
      const index = this.agenda.indexOf(happening);
      if (index >= 0) this.agenda.splice(index, 1);
    };
  }

  /** Until an instant, or sooner when it is enough. */
  async run(until: number, afterEach: () => void, enough?: () => boolean): Promise<void> {
    for (let next = this.agenda[0]; next !== undefined && next.due <= until; next = this.agenda[0]) {
      if (enough?.() === true) return;
      this.agenda.shift();
      this.time = next.due;
      if ((this.step += 1) > MOST_STEPS) throw new Error('it goes on and on, as something that spins does');
      next.happen();
      await new Promise<void>((resolve) => void setImmediate(resolve));
      afterEach();
    }
    this.time = until;
  }

  /** Behind whatever else is due then. */
  private placeFor(due: number): number {
    let index = this.agenda.length;
    while (index > 0 && this.agenda[index - 1]!.due > due) index -= 1;
    return index;
  }
}
