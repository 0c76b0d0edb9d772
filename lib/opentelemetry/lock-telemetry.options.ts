/** What `LockTelemetryModule.forRoot` and `observeLocks` take. */
export interface LockTelemetryOptions {
  /**
   * What keys have in common, as an attribute: `(key) => key.replace(/\d+/g, '{id}')`. It is to have few different answers;
   * undefined, or a throw, is none. Where it is not given, keys appear nowhere, and locks are told apart by their site.
   */
  readonly keyTemplate?: (key: string) => string | undefined;
}
