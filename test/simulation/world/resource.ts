/** What locks are for: it takes a write unless it has seen a larger fencing token. */
export class Resource {
  private highest = -1n;

  write(token: bigint): boolean {
    if (token < this.highest) return false;
    this.highest = token;
    return true;
  }
}
