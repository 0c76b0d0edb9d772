import { type ClaimRequest, type Standing } from '../core/backend.js';
import { type Version } from './cas.store.js';
import { type Exchange } from './lease.rule.js';

/** A claim, and what its owner knows of it that is not in the line. */
export class Claimant {
  /** The write that last restarted its lease, as far as is known. */
  beat: Exchange | undefined;
  /** It was told that it is in. */
  held = false;
  /** It was told since that somebody else wants it. */
  wanted = false;
  /** Its owner listens. */
  wake: ((standing?: Standing) => void) | undefined;
  /** Nobody wants it any more: what is still under way must not bring it in. */
  withdrawn = false;
  /** The attempt that is under way. */
  asking: Promise<unknown> | undefined;
  /** When the store last answered a write of it with nothing but an error. */
  failedAt: number | undefined;
  /** Its writes that no answer came to: each may have happened, or may still happen, for a line of that version. */
  readonly unanswered = new Set<{ readonly expected: Version | null }>();

  constructor(readonly request: ClaimRequest) {}

  /** Answers overtake each other: one that was waited for in vain may come after that of a later beat. */
  hasBeaten(beat: Exchange): void {
    if (this.beat === undefined || beat.sentAt > this.beat.sentAt) this.beat = beat;
  }

  /** By its own clock, on which it lasts no longer than by any other. */
  leaseEnded(now: number): boolean {
    return this.beat !== undefined && now - this.beat.sentAt >= this.request.leaseMs;
  }

  /** Whether one of its writes may still change a line that has this version now. */
  mayStillWrite(version: Version | null): boolean {
    return [...this.unanswered].some(({ expected }) => expected === version);
  }
}
