import { createRequire } from 'node:module';

const require = createRequire(new URL('../peers/package.json', import.meta.url));

/**
 * One of the packages that are compared. They are not there when types are checked, so whoever uses one says what of it is
 * used.
 */
export function peer<T>(name: string): T {
  return require(name) as T;
}
