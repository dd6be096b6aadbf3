/** A run of bytes in memory that is never freed: a configuration is read once. */
export class Text {
  constructor(
    public at: usize,
    public length: usize,
  ) {}

  @inline
  byte(index: usize): u8 {
    return load<u8>(this.at + index);
  }

  equals(other: string): bool {
    if (this.length != <usize>other.length) return false;
    for (let index: usize = 0; index < this.length; index++) {
      if (<i32>this.byte(index) != other.charCodeAt(<i32>index)) return false;
    }
    return true;
  }
}
