import { Table, textOf } from './lua-runtime.js';

type Value = string | SortedSet;

interface Kept {
  value: Value;
  /** In milliseconds of the server's clock. */
  expiresAt: number;
}

/** Members by score, and those of equal score by name. */
class SortedSet extends Map<string, number> {
  sorted(): [string, number][] {
    return [...this].toSorted(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
  }
}

/** What a Redis server keeps, and the commands on it that the scripts use. */
export class Keyspace {
  private keys = new Map<string, Kept>();

  constructor(private readonly clock: () => number) {}

  /** Names of what is kept now. */
  names(): string[] {
    return [...this.keys.keys()].filter((key) => this.kept(key) !== undefined);
  }

  /** As a replica has it that is as far. */
  copy(): ReadonlyMap<string, Kept> {
    return structuredCloneOf(this.keys);
  }

  restore(copy: ReadonlyMap<string, Kept>): void {
    this.keys = structuredCloneOf(copy);
  }

  readonly commands: Readonly<Record<string, (...args: string[]) => unknown>> = {
    GET: (key) => this.value(key!, isText) ?? false,
    SET: (key, value, option) => {
      if (option !== undefined && option !== 'GET') throw new Error('ERR syntax error');
      const before = option === 'GET' && (this.value(key!, isText) ?? false);
      this.keys.set(key!, { value: value!, expiresAt: Infinity });
      return option === 'GET' ? before : 'OK';
    },
    DEL: (...keys) => keys.filter((key) => this.kept(key) !== undefined && this.keys.delete(key)).length,
    PEXPIRE: (key, ms) => {
      const kept = this.kept(key!);
      if (kept === undefined) return 0;
      kept.expiresAt = this.clock() + Number(ms);
      return 1;
    },
    PTTL: (key) => {
      const kept = this.kept(key!);
      if (kept === undefined) return -2;
      return kept.expiresAt === Infinity ? -1 : Math.ceil(kept.expiresAt - this.clock());
    },
    ZADD: (key, ...entries) => {
      const set = this.make(key!, isSet, () => new SortedSet());
      const before = set.size;
      for (let index = 0; index < entries.length; index += 2) set.set(entries[index + 1]!, Number(entries[index]));
      return set.size - before;
    },
    ZREM: (key, ...members) => this.remove(key!, members),
    ZCARD: (key) => this.value(key!, isSet)?.size ?? 0,
    ZSCORE: (key, member) => {
      const score = this.value(key!, isSet)?.get(member!);
      return score === undefined ? false : String(score);
    },
    ZRANK: (key, member) => {
      const rank = (this.value(key!, isSet)?.sorted() ?? []).findIndex(([name]) => name === member);
      return rank < 0 ? false : rank;
    },
    ZRANGE: (key, from, to, ...options) => this.range(key!, from!, to!, options),
  };

  private range(key: string, from: string, to: string, options: readonly string[]): Table {
    const all = this.value(key, isSet)?.sorted() ?? [];
    if (options[0] === 'BYSCORE') {
      const [, limit, offset, count] = options;
      if (limit !== 'LIMIT') throw new Error('ERR syntax error');
      const found = all.filter(([, score]) => score >= Number(from) && score <= Number(to));
      return Table.of(found.slice(Number(offset), Number(offset) + Number(count)).map(([name]) => name));
    }
    const end = Number(to) < 0 ? all.length + Number(to) : Number(to);
    const found = all.slice(Number(from), end + 1);
    if (options[0] === 'WITHSCORES') return Table.of(found.flatMap(([name, score]) => [name, String(score)]));
    if (options.length > 0) throw new Error('ERR syntax error');
    return Table.of(found.map(([name]) => name));
  }

  private remove(key: string, names: readonly string[]): number {
    const value = this.value(key, isSet);
    if (value === undefined) return 0;
    const removed = names.filter((name) => value.delete(name)).length;
    // What is empty is not kept.
    if (value.size === 0) this.keys.delete(key);
    return removed;
  }

  private make<T extends Value>(key: string, is: (value: Value) => value is T, empty: () => T): T {
    const kept = this.value(key, is);
    if (kept !== undefined) return kept;
    const value = empty();
    this.keys.set(key, { value, expiresAt: Infinity });
    return value;
  }

  private value<T extends Value>(key: string, is: (value: Value) => value is T): T | undefined {
    const kept = this.kept(key);
    if (kept === undefined) return undefined;
    if (!is(kept.value)) throw new Error('WRONGTYPE Operation against a key holding the wrong kind of value');
    return kept.value;
  }

  private kept(key: string): Kept | undefined {
    const kept = this.keys.get(key);
    if (kept === undefined || kept.expiresAt > this.clock()) return kept;
    this.keys.delete(key);
    return undefined;
  }
}

const isText = (value: Value): value is string => typeof value === 'string';
const isSet = (value: Value): value is SortedSet => value instanceof SortedSet;

function structuredCloneOf(keys: ReadonlyMap<string, Kept>): Map<string, Kept> {
  return new Map([...keys].map(([key, { value, expiresAt }]) => [key, { value: copyOf(value), expiresAt }]));
}

function copyOf(value: Value): Value {
  return typeof value === 'string' ? value : new SortedSet(value);
}

/** What `redis.call` makes of its arguments. */
export function argumentsOf(values: readonly unknown[]): string[] {
  return values.map(textOf);
}
