import { Inject } from '@nestjs/common';
import { type Lock, LockService } from 'nestjs-locked';
import { Room } from '../nest/apps.js';

export const KEY = 'item:7';

/** What the first visitor of a workshop gets. */
export const made = { made: 'in the workshop', parts: [1, null, { nested: true }], empty: '' };

/** What a body saw of its lock while it had it. */
export type Sight = Pick<Lock, 'key' | 'fencingToken' | 'held'> & { readonly aborted: boolean };

/** What the methods of all entry points do. It is entered by visitors who stay until it is opened. */
export class Workshop extends Room {
  readonly workers = new Set<object>();
  readonly sights: (Sight | undefined)[] = [];
  ended = 0;
  private begun = 0;

  /** @param failure what the second visitor gets, thrown. */
  constructor(readonly failure: Error) {
    super();
  }

  /** At the beginning of a method. */
  look(worker: object): void {
    this.workers.add(worker);
    const lock = LockService.current();
    this.sights.push(
      lock && { key: lock.key, fencingToken: lock.fencingToken, held: lock.held, aborted: lock.signal.aborted },
    );
  }

  async work(): Promise<typeof made> {
    const second = (this.begun += 1) === 2;
    try {
      await this.stay();
      if (second) throw this.failure;
      return made;
    } finally {
      this.ended += 1;
    }
  }
}

export const InjectWorkshop = (): PropertyDecorator => Inject(Workshop) as PropertyDecorator;
