import { NotKnownError } from './zookeeper.errors.js';
import { type ZooKeeperClient } from './zookeeper.client.js';
import { claimData, readClaimName } from './zookeeper.keys.js';
import { type Line, makingOf, readLine } from './zookeeper.line.js';
import { type ZooKeeperSession } from './zookeeper.session.js';
import { within } from './zookeeper.within.js';

/** What all nodes of a claim have in common. */
export interface NodeTerms {
  readonly id: string;
  /** The node of the line. */
  readonly parent: string;
  /** What the server adds the sequence to. */
  readonly prefix: string;
  readonly owner: string | undefined;
}

/** The node, and the line that it is in. */
export interface Stay {
  readonly name: string;
  readonly place: bigint;
  readonly line: Line;
}

/** A line that is made and collected again and again while we join it is tried that often. */
const TRIES = 5;

/**
 * A claim's node in one session, which it goes with.
 *
 * States: out → joining → in. `joining` lasts until it is known whether the node was made: when the connection was lost
 * meanwhile, the line is searched for it. Whoever was in and is out makes another object.
 */
export class ZooKeeperNode {
  private madeAs: string | undefined;
  private madeAt: bigint | undefined;
  /** The making that has not been answered. */
  private making: Promise<void> | undefined;
  /** It is not known whether it was made. */
  private unsure = false;
  /** A removal was sent, so that a node that is gone was removed by us. */
  private removing = false;

  constructor(
    readonly session: ZooKeeperSession,
    private readonly terms: NodeTerms,
  ) {}

  /** Once it is made. */
  get name(): string | undefined {
    return this.madeAs;
  }

  get place(): bigint | undefined {
    return this.madeAt;
  }

  /** Whether nobody of this process has taken it away: what is gone, in a session that lives, was evicted. */
  get wanted(): boolean {
    return !this.removing;
  }

  /** Of whatever is in the line. */
  pathOf(name: string): string {
    return `${this.terms.parent}/${name}`;
  }

  /** Whether it is there, as far as is known; finds it if that is not known. */
  async found(): Promise<boolean> {
    if (this.making !== undefined) await within(this.session.patienceMs, this.making);
    if (this.unsure) await this.search();
    return this.madeAs !== undefined;
  }

  /** Makes the node, if it was not. undefined: it is gone. */
  async stay(): Promise<Stay | undefined> {
    const line = (await this.found()) ? await this.read() : await this.join();
    const name = this.madeAs;
    if (name === undefined || !line?.some((claim) => claim.name === name)) return undefined;
    // The answer that told of its making may have come too late for its place to be asked for.
    this.madeAt ??= await this.askPlace(name);
    return this.madeAt === undefined ? undefined : { name, place: this.madeAt, line };
  }

  /** The line after joining; undefined: it is gone already. */
  private async join(): Promise<Line | undefined> {
    const { session } = this;
    const { parent } = this.terms;
    let alone = true;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const [before, lineMade, made, after] = await session.flight((client) => {
        // Sent together and done in this order: one round trip, and the reply to the making is had with the line it led to.
        const before = alone ? client.stat(parent) : undefined;
        const lineMade = alone ? undefined : this.makeLine(client);
        const made = this.make(client);
        return Promise.all([before, lineMade, made, client.children(parent)]);
      });
      if (lineMade === false) await this.makeRoot();
      if (made === undefined) {
        alone = false;
        continue;
      }
      if (after === undefined) return undefined;
      const { sequence } = readClaimName(made)!;
      const { names, stat } = after;
      this.madeAt = makingOf({ before, names, after: stat, sequence });
      return readLine(names);
    }
    throw new NotKnownError(`${parent} is collected whenever it is made: raise znode.container.checkIntervalMs`);
  }

  /** false: it was gone, and not by an earlier call. */
  async remove(): Promise<boolean> {
    const path = this.pathOf(this.madeAs!);
    const removedBefore = this.removing;
    this.removing = true;
    const removed = await this.session.ask((client) => this.session.signed(client.remove(path)));
    return removed || removedBefore;
  }

  /** The connection was lost before it was answered. What the leader has done before is seen after a sync. */
  private async search(): Promise<void> {
    const { session } = this;
    const line = await this.read();
    for (const { name } of line.filter(({ id }) => id === this.terms.id)) {
      const stat = await session.ask((client) => client.stat(this.pathOf(name)));
      if (stat?.ephemeralOwner === session.id) {
        this.madeAs = name;
        this.madeAt = BigInt(stat.czxid);
        break;
      }
    }
    this.unsure = false;
  }

  /** Its name; undefined: there is no line to make it in. */
  private async make(client: ZooKeeperClient): Promise<string | undefined> {
    const { session } = this;
    const { prefix, owner } = this.terms;
    const path = session.signed(client.createClaim(this.pathOf(prefix), claimData(session.leaseMs, owner)));
    const made = path.then((given) => given?.slice(this.terms.parent.length + 1));
    this.making = made.then(
      (name) => {
        this.making = undefined;
        this.madeAs = name;
      },
      (error: unknown) => {
        this.making = undefined;
        this.unsure = error instanceof NotKnownError;
      },
    );
    return made;
  }

  private async makeLine(client: ZooKeeperClient): Promise<boolean> {
    return this.makeOwn(client, this.terms.parent, (path) => this.session.signed(client.createLine(path)));
  }

  private async makeRoot(): Promise<void> {
    const { root } = this.session.settings;
    await this.session.ask(async (client) => {
      const make = (): Promise<boolean> => this.makeOwn(client, root, (path) => client.createPersistent(path));
      if (await make()) return;
      await makePath(client, parentOf(root));
      await make();
    });
  }

  /** With `auth`, nobody else is to have it: so it is protected in the flight that makes it. */
  private async makeOwn(
    client: ZooKeeperClient,
    path: string,
    make: (path: string) => Promise<boolean>,
  ): Promise<boolean> {
    const made = make(path);
    if (this.session.settings.auth !== undefined) await Promise.all([made, client.protect(path)]);
    return made;
  }

  private async askPlace(name: string): Promise<bigint | undefined> {
    const stat = await this.session.flight((client) => client.stat(this.pathOf(name)));
    return stat && BigInt(stat.czxid);
  }

  private read(): Promise<Line> {
    return this.session.flight(async (client) => {
      const [, children] = await Promise.all([this.session.signed(client.sync()), client.children(this.terms.parent)]);
      return readLine(children?.names ?? []);
    });
  }
}

/** From below: what is there may be where nobody is allowed to make anything. */
async function makePath(client: ZooKeeperClient, path: string): Promise<void> {
  if (path === '' || (await client.createPersistent(path))) return;
  await makePath(client, parentOf(path));
  await client.createPersistent(path);
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
