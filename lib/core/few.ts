/**
 * A set in order of arrival that mostly has one member or none, and then needs no table: a Set and its table are 260 bytes
 * for every lock that is held.
 */
export class Few<T extends object> implements Iterable<T> {
  private members: T | Set<T> | undefined;

  get size(): number {
    if (this.members === undefined) return 0;
    return this.members instanceof Set ? this.members.size : 1;
  }

  get first(): T | undefined {
    return this.members instanceof Set ? this.members.values().next().value : this.members;
  }

  add(member: T): void {
    if (this.members === undefined) this.members = member;
    else if (this.members instanceof Set) this.members.add(member);
    else if (this.members !== member) this.members = new Set([this.members, member]);
  }

  delete(member: T): void {
    if (this.members === member) this.members = undefined;
    else if (this.members instanceof Set) {
      this.members.delete(member);
      if (this.members.size === 0) this.members = undefined;
    }
  }

  [Symbol.iterator](): Iterator<T> {
    if (this.members === undefined) return [][Symbol.iterator]();
    return (this.members instanceof Set ? this.members : [this.members])[Symbol.iterator]();
  }
}
