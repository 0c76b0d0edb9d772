/** Calls fail by the hundred thousand here, and nobody reads where. What it returns makes errors tell it again. */
export function withoutStacks(): () => void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  return () => void (Error.stackTraceLimit = stackTraceLimit);
}
