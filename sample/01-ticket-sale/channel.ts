import { type ChildProcess } from 'node:child_process';
import { type MessagePort } from 'node:worker_threads';

/** Messages to and from another process or thread. */
export interface Channel {
  /** What nobody hears any more is lost. */
  send(message: object): void;
  onMessage(hear: (message: unknown) => void): void;
  /** When either side has hung up. */
  onEnd(end: () => void): void;
  hangUp(): void;
}

/** From a process to its child, or from the child to its parent. */
export function channelTo(other: ChildProcess | NodeJS.Process): Channel {
  return {
    send: (message) => void (other.connected && other.send!(message)),
    onMessage: (hear) => void other.on('message', hear),
    onEnd: (end) => void other.once('disconnect', end),
    hangUp: () => void (other.connected && other.disconnect!()),
  };
}

/** Between threads. */
export function channelOver(port: MessagePort): Channel {
  return {
    send: (message) => port.postMessage(message),
    onMessage: (hear) => void port.on('message', hear),
    onEnd: (end) => void port.once('close', end),
    hangUp: () => port.close(),
  };
}
