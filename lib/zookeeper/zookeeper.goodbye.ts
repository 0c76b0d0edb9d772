import { type Socket } from 'node:net';

/** A request of eight bytes: its number, which nobody looks at, and that of the operation that ends a session, -11. */
const CLOSE_SESSION = Buffer.from('000000087ffffffefffffff5', 'hex');

/** Ends a session where a connection is between two requests. Each is preceded by its length. */
export class Goodbye {
  private spoke = false;
  private left = 0;
  private header = Buffer.alloc(0);

  /** What has gone to the server. */
  heard(bytes: Buffer): void {
    this.spoke = true;
    let rest = bytes;
    while (rest.length > 0) {
      const passed = Math.min(this.left, rest.length);
      this.left -= passed;
      rest = rest.subarray(passed);
      if (this.left > 0) return;
      const missing = 4 - this.header.length;
      this.header = Buffer.concat([this.header, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (this.header.length < 4) return;
      this.left = this.header.readUInt32BE();
      this.header = Buffer.alloc(0);
    }
  }

  /** Not in the middle of a request, and not before the greeting. */
  say(server: Socket | undefined): void {
    const between = this.spoke && this.left === 0 && this.header.length === 0;
    if (server?.writable === true && between) server.write(CLOSE_SESSION);
  }
}
