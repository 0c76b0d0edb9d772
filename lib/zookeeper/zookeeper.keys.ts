/**
 * Where a key's line is kept. Injective, and it reads back: whatever ZooKeeper forbids in a name, or gives a meaning, is
 * written as percent and hex digits.
 */
export class ZooKeeperKeys {
  constructor(readonly root: string) {}

  /** The node whose children are the claims on the key. */
  lineOf(key: string): string {
    return `${this.root}/${encode(key)}`;
  }

  /** The key whose line is the child of the root with this name; undefined: somebody else's node. */
  keyOf(name: string): string | undefined {
    return decode(name);
  }
}

/** A claim's node is called `<id>,<slots>,<sequence>`; the server adds the sequence. No escaped id has a comma in it. */
export function claimPrefix(id: string, slots: number): string {
  return `${encode(id)},${slots === Infinity ? 'all' : slots},`;
}

export interface ClaimName {
  readonly name: string;
  readonly id: string;
  readonly slots: number;
  readonly sequence: number;
}

/** Undefined: somebody else's node. */
export function readClaimName(name: string): ClaimName | undefined {
  const [, encoded = '', slots, sequence] = /^([^,]+),(all|[1-9]\d*),(-?\d+)$/.exec(name) ?? [];
  const id = decode(encoded);
  if (id === undefined || id === '') return undefined;
  return {
    name,
    id,
    slots: slots === 'all' ? Infinity : Number(slots),
    sequence: Number(sequence),
  };
}

/** What a claim's node keeps: the lease that its session gives, and who it is, any characters or nothing. */
export function claimData(leaseMs: number, owner: string | undefined): string {
  return owner === undefined ? String(leaseMs) : `${leaseMs} ${owner}`;
}

export function readClaimData(data: string): { readonly leaseMs?: number; readonly owner?: string } {
  const [, leaseMs, owner] = /^(\d+)(?: ([^]+))?$/.exec(data) ?? [];
  return { ...(leaseMs !== undefined && { leaseMs: Number(leaseMs) }), ...(owner !== undefined && { owner }) };
}

function encode(text: string): string {
  const encoded = encodeURIComponent(text);
  return /^\.{1,2}$/.test(encoded) ? encoded.replaceAll('.', '%2E') : encoded;
}

/** Undefined: nothing is encoded like that. */
function decode(name: string): string | undefined {
  try {
    const text = decodeURIComponent(name);
    return encode(text) === name ? text : undefined;
  } catch {
    return undefined;
  }
}
