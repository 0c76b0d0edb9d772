import {
  type CanActivate,
  type ExecutionContext,
  type INestApplicationContext,
  Scope,
  type ScopeOptions,
  SetMetadata,
} from '@nestjs/common';
import { type LockModuleOptions } from 'nestjs-locked';
import { type Log } from '../nest/apps.js';
import { type Order, type ScopeName } from './table.js';
import { type Workshop } from './workshop.js';

const SCOPES: Record<ScopeName, ScopeOptions> = {
  singleton: { scope: Scope.DEFAULT },
  REQUEST: { scope: Scope.REQUEST },
  TRANSIENT: { scope: Scope.TRANSIENT },
  durable: { scope: Scope.REQUEST, durable: true },
};

/** How the method of an entry point is to be written. */
export class Cell {
  readonly options: ScopeOptions;

  /** @param order undefined: without `@Locked`, to see what the table is worth. */
  constructor(
    readonly scope: ScopeName,
    readonly order: Order | undefined,
  ) {
    this.options = SCOPES[scope];
  }

  /** The decorator, if it is to stand above the others. */
  above(locked: MethodDecorator): MethodDecorator {
    return this.order === 'above' ? locked : () => undefined;
  }

  /** The decorator, if it is to stand below the others. */
  below(locked: MethodDecorator): MethodDecorator {
    return this.order === 'below' ? locked : () => undefined;
  }
}

/** What an application is made with. */
export interface Site {
  readonly workshop: Workshop;
  readonly log: Log;
  /** The url of a Redis; there is none unless the entry point needs one. */
  readonly redis: string;
  /** Options of the LockModule. */
  readonly locks?: LockModuleOptions;
}

/** A real application in which Nest calls a method. */
export interface Door {
  readonly app: INestApplicationContext;
  /** The class that has the method, and its name. */
  readonly handler: readonly [type: { prototype: object }, method: string];
  /** Has the method called. Resolves with what whoever called gets; or at once, where nobody is answered. */
  call(): Promise<unknown>;
  /** The same by somebody whom the guard of the method refuses; missing where there are no guards. */
  callAsStranger?(): Promise<unknown>;
  close(): Promise<void>;
}

export interface EntryPoint {
  /** What the second visitor throws. */
  readonly failure: () => Error;
  /** What whoever gets the failure, or the log, shows of it: its message, unless it is said otherwise. */
  readonly shows?: string;
  /** How many instances two calls meet, where that is not what the scope says. */
  readonly workers?: Partial<Record<ScopeName, number>>;
  readonly needsRedis?: boolean;
  open(cell: Cell, site: Site): Promise<Door>;
}

/** What another decorator says of the method. */
export const Tag = (): MethodDecorator => SetMetadata('tag', 'kept');

/** What somebody sends whom the guard refuses. */
export const STRANGER = 'stranger';

/** Guards a method against strangers. */
export class FriendsOnly implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return visitorOf(context) !== STRANGER;
  }
}

function visitorOf(context: ExecutionContext): unknown {
  switch (context.getType<string>()) {
    case 'http':
      return context.switchToHttp().getRequest<{ query: Record<string, unknown> }>().query['by'];
    case 'graphql':
      return context.getArgByIndex<Record<string, unknown>>(1)['by'];
    default:
      return context.getArgByIndex<Record<string, unknown>>(context.getType() === 'ws' ? 1 : 0)['by'];
  }
}
