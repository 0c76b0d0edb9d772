import { randomBytes } from 'node:crypto';

/** Chance, as the core sees it. The only door to it, so that a simulation can hold it. */
export interface Random {
  /** 128 unguessable bits as text. */
  id(): string;
  /** From 0 up to, not including, 1. For jitter. */
  fraction(): number;
}

export const systemRandom: Random = {
  id: () => randomBytes(16).toString('base64url'),
  fraction: () => Math.random(),
};
