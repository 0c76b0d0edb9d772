import { type CasStore, MemoryStore, type Version, type Versioned, type Written } from '../../lib/cas/index.js';

type Call = 'read' | 'write';

/** Decides when a call is done and when it is answered, or that nobody hears of it. */
export interface Fate {
  readonly doneAfter?: Promise<unknown>;
  readonly answeredAfter?: Promise<unknown>;
  /** Whoever sent it is told so at once. */
  readonly notKnown?: boolean;
}

/** A store whose calls a test holds up, and counts. */
export class GatedStore implements CasStore {
  readonly name = 'gated';
  readonly calls: Call[] = [];
  private readonly fates: { readonly call: Call; readonly fate: Fate }[] = [];

  constructor(private readonly behind: CasStore = new MemoryStore()) {}

  /** What becomes of the next call of that kind that nothing was decided for. */
  next(call: Call, fate: Fate): void {
    this.fates.push({ call, fate });
  }

  read(key: string): Promise<Versioned | null> {
    return this.send('read', () => this.behind.read(key));
  }

  write(key: string, next: Uint8Array | null, expected: Version | null): Promise<Written> {
    return this.send('write', () => this.behind.write(key, next, expected));
  }

  watch(key: string, changed: () => void): () => void {
    return this.behind.watch!(key, changed);
  }

  count(call: Call): number {
    return this.calls.filter((each) => each === call).length;
  }

  private async send<T>(call: Call, execute: () => Promise<T>): Promise<T> {
    this.calls.push(call);
    const index = this.fates.findIndex((each) => each.call === call);
    const { fate = {} } = index < 0 ? {} : this.fates.splice(index, 1)[0]!;
    const done = Promise.resolve(fate.doneAfter).then(execute);
    if (fate.notKnown === true) throw new Error('nobody knows');
    const answer = await done;
    await fate.answeredAfter;
    return answer;
  }
}
