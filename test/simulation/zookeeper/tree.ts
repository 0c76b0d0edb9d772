import { type Stat } from '../../../lib/zookeeper/zookeeper.driver.js';

/** What the ensemble agrees on, one after the other. */
export type Change =
  | {
      readonly kind: 'make';
      readonly path: string;
      readonly data: string;
      /** The session that the node lives as long as. */
      readonly owner: string;
      readonly container: boolean;
      readonly at: number;
    }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'begin'; readonly session: string; readonly timeoutMs: number }
  | { readonly kind: 'end'; readonly session: string }
  | { readonly kind: 'nothing' };

export interface Transaction {
  readonly zxid: number;
  readonly change: Change;
}

interface Node {
  readonly czxid: number;
  readonly ctime: Date;
  readonly data: string;
  readonly owner: string;
  readonly container: boolean;
  readonly children: Set<string>;
  pzxid: number;
  /** How many children were ever made. */
  made: number;
}

/** What one server has of it, up to some transaction. */
export class Tree {
  /** Of the last transaction that it has. */
  zxid = 0;
  /** Those that have begun and not ended, and how long they last. */
  readonly sessions = new Map<string, number>();
  private readonly nodes = new Map<string, Node>([['', nodeOf(0, '', '0', false, 0)]]);

  /** Returns the paths of the nodes that have gone. */
  apply({ zxid, change }: Transaction): readonly string[] {
    this.zxid = zxid;
    if (change.kind === 'make') this.make(zxid, change);
    if (change.kind === 'begin') this.sessions.set(change.session, change.timeoutMs);
    if (change.kind === 'remove') return this.remove(zxid, change.path);
    if (change.kind !== 'end') return [];
    this.sessions.delete(change.session);
    return this.ephemerals(change.session).flatMap((path) => this.remove(zxid, path));
  }

  has(path: string): boolean {
    return this.nodes.has(path);
  }

  stat(path: string): Stat | null {
    const node = this.nodes.get(path);
    if (node === undefined) return null;
    const { czxid, pzxid, ctime, owner, made, children } = node;
    const numChildren = children.size;
    return { czxid, pzxid, ctime, ephemeralOwner: owner, numChildren, cversion: 2 * made - numChildren };
  }

  data(path: string): string {
    return this.nodes.get(path)!.data;
  }

  children(path: string): string[] {
    return [...this.nodes.get(path)!.children];
  }

  /** What the server adds to the name of the next child. */
  sequence(path: string): string {
    return String(this.nodes.get(path)!.made).padStart(10, '0');
  }

  /** Of one session, or of all. */
  ephemerals(session?: string): string[] {
    const paths = [...this.nodes].filter(([, { owner }]) =>
      session === undefined ? owner !== '0' : owner === session,
    );
    return paths.map(([path]) => path);
  }

  /** Containers that had children, and have none. */
  left(): string[] {
    const left = [...this.nodes].filter(
      ([, { container, made, children }]) => container && made > 0 && children.size === 0,
    );
    return left.map(([path]) => path);
  }

  private make(zxid: number, { path, data, owner, container, at }: Change & { readonly kind: 'make' }): void {
    const parent = this.nodes.get(parentOf(path))!;
    parent.children.add(nameOf(path));
    parent.pzxid = zxid;
    parent.made += 1;
    this.nodes.set(path, nodeOf(zxid, data, owner, container, at));
  }

  private remove(zxid: number, path: string): string[] {
    const parent = this.nodes.get(parentOf(path))!;
    this.nodes.delete(path);
    parent.children.delete(nameOf(path));
    parent.pzxid = zxid;
    return [path];
  }
}

export const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function nodeOf(zxid: number, data: string, owner: string, container: boolean, at: number): Node {
  return { czxid: zxid, pzxid: zxid, ctime: new Date(at), data, owner, container, children: new Set(), made: 0 };
}
