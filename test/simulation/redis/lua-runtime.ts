/** A table of Lua. Lists count from 1. */
export class Table extends Map<unknown, unknown> {
  static of(values: readonly unknown[]): Table {
    const table = new Table();
    values.forEach((value, index) => value !== undefined && table.set(index + 1, value));
    return table;
  }

  get length(): number {
    let length = this.size;
    while (length > 0 && !this.has(length)) length -= 1;
    return length;
  }

  list(): unknown[] {
    return Array.from({ length: this.length }, (_, index) => this.get(index + 1));
  }
}

/** What a script finds. */
export interface Globals {
  readonly KEYS: Table;
  readonly ARGV: Table;
  readonly redis: Table;
}

type Func = (...args: unknown[]) => unknown[];

function numberOf(value: unknown): number {
  const number = toNumber(value);
  if (number === undefined) throw new Error(`attempt to perform arithmetic on ${String(value)}`);
  return number;
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const number = Number(value);
  return Number.isNaN(number) ? undefined : number;
}

function tableOf(value: unknown): Table {
  if (!(value instanceof Table)) throw new Error(`attempt to index ${String(value)}`);
  return value;
}

function comparable(left: unknown, right: unknown): [number, number] {
  if (typeof left !== 'number' || typeof right !== 'number') {
    throw new Error(`attempt to compare ${typeof left} with ${typeof right}`);
  }
  return [left, right];
}

export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw new Error(`${String(value)} is neither text nor number`);
}

/** What operators mean. */
export const runtime = {
  truth: (value: unknown): boolean => value !== undefined && value !== false,
  get: (table: unknown, key: unknown): unknown => tableOf(table).get(key),
  set(table: unknown, key: unknown, value: unknown): void {
    if (value === undefined) tableOf(table).delete(key);
    else tableOf(table).set(key, value);
  },
  length: (value: unknown): number => (typeof value === 'string' ? value.length : tableOf(value).length),
  table(listed: readonly unknown[], named: readonly [string, unknown][]): Table {
    const table = Table.of(listed);
    for (const [key, value] of named) if (value !== undefined) table.set(key, value);
    return table;
  },
  add: (left: unknown, right: unknown): number => numberOf(left) + numberOf(right),
  subtract: (left: unknown, right: unknown): number => numberOf(left) - numberOf(right),
  multiply: (left: unknown, right: unknown): number => numberOf(left) * numberOf(right),
  divide: (left: unknown, right: unknown): number => numberOf(left) / numberOf(right),
  concatenate: (left: unknown, right: unknown): string => textOf(left) + textOf(right),
  less(left: unknown, right: unknown): boolean {
    const [a, b] = comparable(left, right);
    return a < b;
  },
  atMost(left: unknown, right: unknown): boolean {
    const [a, b] = comparable(left, right);
    return a <= b;
  },
};

const named = (functions: Readonly<Record<string, unknown>>): Table => new Table(Object.entries(functions));

/** Of Lua's library what the scripts need. */
export const library: Readonly<Record<string, unknown>> = {
  tonumber: ((value) => [toNumber(value)]) satisfies Func,
  type: ((value) => [value instanceof Table ? 'table' : typeof value]) satisfies Func,
  pcall: ((func, ...args) => {
    try {
      return [true, ...(func as Func)(...args)];
    } catch (error) {
      return [false, named({ err: (error as Error).message })];
    }
  }) satisfies Func,
  unpack: ((list) => tableOf(list).list()) satisfies Func,
  ipairs: ((list) => [
    tableOf(list)
      .list()
      .map((value, index) => [index + 1, value]),
  ]) satisfies Func,
  math: named({
    huge: Infinity,
    floor: ((value) => [Math.floor(numberOf(value))]) satisfies Func,
    max: ((...values) => [Math.max(...values.map(numberOf))]) satisfies Func,
    min: ((...values) => [Math.min(...values.map(numberOf))]) satisfies Func,
  }),
  string: named({
    sub: ((text, from, to) => [textOf(text).slice(numberOf(from) - 1, to as number | undefined)]) satisfies Func,
    match: ((text, pattern) => {
      const found = expression(textOf(pattern)).exec(textOf(text));
      if (found === null) return [undefined];
      return found.length > 1 ? found.slice(1) : [found[0]];
    }) satisfies Func,
    format: ((form, ...values) => {
      let next = 0;
      const text = textOf(form).replace(/%(\.0f|[sd]|.)/g, (_, how: string) => {
        const value = values[next];
        next += 1;
        if (how === 's') return textOf(value);
        if (how === 'd') return String(Math.trunc(numberOf(value)));
        if (how === '.0f') return numberOf(value).toFixed(0);
        throw new Error(`%${how} is not known`);
      });
      return [text];
    }) satisfies Func,
  }),
};

const expressions = new Map<string, RegExp>();

/** A pattern of Lua, as far as the scripts use them: digits, letters, any character, any but some, groups, anchors, repetition. */
function expression(pattern: string): RegExp {
  let known = expressions.get(pattern);
  if (known === undefined) {
    if (!/^\^?(%[dw]|\.-?|\[\^[: ]\]|[\w:@} ]|[()+*])*\$?$/.test(pattern))
      throw new Error(`the pattern ${pattern} is not known`);
    known = new RegExp(
      pattern
        .replaceAll('.-', '[^]*?')
        .replace(/\.(?!\])/g, '[^]')
        .replaceAll('%d', '\\d')
        .replaceAll('%w', '[0-9A-Za-z]'),
    );
    expressions.set(pattern, known);
  }
  return known;
}
