import { type ScriptName } from './redis.scripts.js';

/** Where the commands of a backend leave: `RedisLink`, or in a simulation something that behaves like it. */
export interface RedisPort {
  /** Whether keys are spread over several masters. */
  readonly cluster: boolean;
  /** Runs a script: once, unless it rejects; then it may have been run, or may still be. */
  run(script: ScriptName, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
  /** Resolves when the server has confirmed it. Nothing is subscribed again by itself. */
  subscribe(channel: string): Promise<void>;
  /** The server does not count it, whatever this side thinks: half-open, or to one that is master no more. */
  reconnectMessages(): void;
  /** What the server says of itself. */
  info(): Promise<string>;
  /** The names of keys that match, each at least once. */
  scan(match: string): AsyncIterable<string>;
  close(): void;
}

/** What is told of the connections. */
export interface RedisPortListeners {
  readonly message: (channel: string, message: string) => void;
  /** A connection for messages is up, for the first time or again; nothing is subscribed. */
  readonly listening: () => void;
  /** The connection for commands is up, for the first time or again. */
  readonly connected: () => void;
}
