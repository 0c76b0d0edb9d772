import { type Claim, type ClaimRequest, type LockBackend, type Place } from '../../lib/core/backend.js';
import { type Clock } from '../../lib/core/clock.js';
import { type MemoryBackend } from '../../lib/memory/index.js';

/**
 * A client whose claims live as long as its session, whatever lease they ask for, as those of ZooKeeper do: while the
 * client lives, it keeps them alive, asked or not.
 */
export class SessionBackend implements LockBackend {
  readonly name = 'session';
  private readonly alive = new Map<string, Claim>();
  private speaks = true;

  constructor(
    private readonly store: MemoryBackend,
    private readonly clock: Clock,
    private readonly sessionMs: number,
  ) {
    this.beat();
  }

  claim(request: ClaimRequest): Claim {
    const claim = this.store.claim({ ...request, leaseMs: this.sessionMs });
    const name = JSON.stringify([request.key, request.id]);
    return {
      attempt: async (options) => {
        this.refuseIfSilent();
        this.alive.set(name, claim);
        return claim.attempt(options);
      },
      renew: async () => {
        this.refuseIfSilent();
        return claim.renew();
      },
      withdraw: async () => {
        this.refuseIfSilent();
        this.alive.delete(name);
        return claim.withdraw();
      },
      watch: (wake) => claim.watch!((standing) => void (this.speaks && wake(standing))),
    };
  }

  async inspect(key: string): Promise<readonly Place[]> {
    return this.store.inspect(key);
  }

  list(options?: { readonly prefix?: string }): AsyncIterable<string> {
    return this.store.list(options);
  }

  evict(key: string, id: string): Promise<boolean> {
    return this.store.evict(key, id);
  }

  async close(): Promise<void> {
    this.speaks = false;
  }

  /** Until the function that this answers is called. */
  silence(): () => void {
    this.speaks = false;
    return () => {
      this.speaks = true;
      this.beat();
    };
  }

  private refuseIfSilent(): void {
    if (!this.speaks) throw new Error('the session is cut off');
  }

  private beat(): void {
    if (!this.speaks) return;
    for (const [name, claim] of this.alive) {
      void claim.renew().then((alive) => void (alive || this.alive.delete(name)));
    }
    this.clock.alarm(this.sessionMs / 4, () => this.beat());
  }
}
