import { type Standing } from './backend.js';

/** Who is told what a backend tells of a claim: its pursuit, and once it is in, its hold. */
export interface Listener {
  woken(news?: Standing): void;
}

/** Passes on what it hears to whom it belongs now, and keeps nobody in memory that it belonged to before. */
export class Ear {
  constructor(public owner: Listener) {}

  /** Made here, and not where a claim is watched: a closure keeps all that is in scope where it is made. */
  listening(): (news?: Standing) => void {
    return (news) => this.owner.woken(news);
  }
}
