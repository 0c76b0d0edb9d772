import { type CanActivate, type ModuleMetadata, type Type } from '@nestjs/common';
import { LockConfigError } from '../core/errors.js';

/** What `LockDashboardModule.forRoot` takes. */
export interface LockDashboardOptions {
  /** Where the page is, behind the global prefix if there is one. `'/locks'` where it is not given. */
  readonly path?: string;
  /**
   * Who may see the page, and take locks away. A class is built by Nest, and may inject what `imports` exports and what is
   * global. It is asked for every request, those for the stylesheet, the script and the stream of events included.
   */
  readonly guard?: Type<CanActivate> | CanActivate;
  /** Modules that have what the guard injects. */
  readonly imports?: ModuleMetadata['imports'];
  /** true: in production too, whoever reaches the page may use it; for where something before the application sees to that. */
  readonly insecure?: boolean;
}

/** With every choice made. */
export interface Mounting {
  readonly path: string;
  readonly guards: readonly (Type<CanActivate> | CanActivate)[];
  readonly imports: NonNullable<ModuleMetadata['imports']>;
  readonly insecure: boolean;
}

/** @throws LockConfigError for options that cannot be. */
export function readDashboardOptions(options: LockDashboardOptions): Mounting {
  const { path = '/locks', guard, imports = [], insecure = false } = options;
  if (typeof path !== 'string')
    throw new LockConfigError(`LockDashboardModule: path must be a string, not ${typeof path}`);
  if (guard !== undefined && typeof guard !== 'function' && typeof guard?.canActivate !== 'function') {
    throw new LockConfigError(
      'LockDashboardModule: guard must be a guard of Nest: a class with canActivate, or an instance',
    );
  }
  return { path, imports, insecure, guards: guard === undefined ? [] : [guard] };
}

/** @throws LockConfigError where everybody could take locks away in production, and nobody has said that this is meant. */
export function refuseOpenProduction({ guards, insecure }: Mounting): void {
  if (process.env.NODE_ENV !== 'production' || guards.length > 0 || insecure) return;
  throw new LockConfigError(
    'LockDashboardModule shows every lock and can take it away, and with NODE_ENV=production it does not start without a guard: ' +
      'set guard to a guard of Nest that knows who may do that; or, if something before the application knows, set insecure: true',
  );
}
