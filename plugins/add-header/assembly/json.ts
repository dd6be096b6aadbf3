import { Text } from "./text";

/**
 * Reads a flat JSON object whose values are strings, from UTF-8 bytes to UTF-8 bytes. Whatever else
 * JSON allows is refused: this plugin has no use for it.
 */
export class ObjectReader {
  /** What is wrong, null while nothing is. */
  problem: string | null = null;
  private at: usize;
  private end: usize;
  private started: bool = false;

  constructor(json: Text) {
    this.at = json.at;
    this.end = json.at + json.length;
  }

  /** The next key; null at the end of the object, and when something is wrong. */
  key(): Text | null {
    this.skipSpace();
    if (!this.started) {
      this.started = true;
      if (!this.take(0x7b)) return this.wrong("an object is expected");
      this.skipSpace();
      if (this.take(0x7d)) return this.atEnd();
    } else {
      if (this.take(0x7d)) return this.atEnd();
      if (!this.take(0x2c)) return this.wrong("a comma or the end of the object is expected");
      this.skipSpace();
    }
    const key = this.text();
    if (!key) return null;
    this.skipSpace();
    return this.take(0x3a) ? key : this.wrong("a colon is expected behind a key");
  }

  /** The value that belongs to the last key; null when it is no string. */
  value(): Text | null {
    this.skipSpace();
    return this.text();
  }

  private atEnd(): Text | null {
    this.skipSpace();
    return this.at == this.end ? null : this.wrong("nothing may follow the object");
  }

  private text(): Text | null {
    if (!this.take(0x22)) return this.wrong("a string is expected");
    // No escape is shorter than what it stands for, so the result never needs more room.
    const start = heap.alloc(this.end - this.at + 1);
    let to = start;
    while (this.at < this.end) {
      const byte = load<u8>(this.at++);
      if (byte == 0x22) return new Text(start, to - start);
      if (byte < 0x20) return this.wrong("a string holds a control character");
      if (byte != 0x5c) {
        store<u8>(to++, byte);
        continue;
      }
      to = this.escape(to);
      if (this.problem) return null;
    }
    return this.wrong("a string does not end");
  }

  /** Writes what the escape behind a backslash stands for. @returns where the next byte goes */
  private escape(to: usize): usize {
    const letter = this.at < this.end ? load<u8>(this.at++) : 0;
    let byte: u8 = letter;
    if (letter == 0x75) return this.unicode(to);
    if (letter == 0x62) byte = 0x08;
    else if (letter == 0x66) byte = 0x0c;
    else if (letter == 0x6e) byte = 0x0a;
    else if (letter == 0x72) byte = 0x0d;
    else if (letter == 0x74) byte = 0x09;
    else if (letter != 0x22 && letter != 0x5c && letter != 0x2f) {
      this.wrong("an escape is unknown");
    }
    store<u8>(to, byte);
    return to + 1;
  }

  /** Four digits, or two times four for what lies above U+FFFF. */
  private unicode(to: usize): usize {
    let code = this.digits();
    if (code >= 0xd800 && code < 0xdc00) {
      if (!this.take(0x5c) || !this.take(0x75)) code = -1;
      const low = code < 0 ? -1 : this.digits();
      code = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((code - 0xd800) << 10) + low - 0xdc00 : -1;
    } else if (code >= 0xdc00 && code < 0xe000) {
      code = -1;
    }
    if (code < 0) {
      this.wrong("a \\u escape is not a character");
      return to;
    }
    return encodeUtf8(to, code);
  }

  /** Four hexadecimal digits; -1 when they are not. */
  private digits(): i32 {
    if (this.end - this.at < 4) return -1;
    let code = 0;
    for (let left = 4; left > 0; left--) {
      const digit = hexDigit(load<u8>(this.at++));
      if (digit < 0) return -1;
      code = (code << 4) | digit;
    }
    return code;
  }

  private skipSpace(): void {
    while (this.at < this.end) {
      const byte = load<u8>(this.at);
      if (byte != 0x20 && byte != 0x09 && byte != 0x0a && byte != 0x0d) return;
      this.at++;
    }
  }

  private take(byte: u8): bool {
    if (this.at >= this.end || load<u8>(this.at) != byte) return false;
    this.at++;
    return true;
  }

  /** The first problem stays. */
  private wrong(what: string): Text | null {
    if (!this.problem) this.problem = what;
    return null;
  }
}

function hexDigit(byte: u8): i32 {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}

function encodeUtf8(to: usize, code: i32): usize {
  if (code < 0x80) {
    store<u8>(to, <u8>code);
    return to + 1;
  }
  if (code < 0x800) {
    store<u8>(to, <u8>(0xc0 | (code >> 6)));
    store<u8>(to + 1, continuation(code));
    return to + 2;
  }
  if (code < 0x10000) {
    store<u8>(to, <u8>(0xe0 | (code >> 12)));
    store<u8>(to + 1, continuation(code >> 6));
    store<u8>(to + 2, continuation(code));
    return to + 3;
  }
  store<u8>(to, <u8>(0xf0 | (code >> 18)));
  store<u8>(to + 1, continuation(code >> 12));
  store<u8>(to + 2, continuation(code >> 6));
  store<u8>(to + 3, continuation(code));
  return to + 4;
}

function continuation(code: i32): u8 {
  return <u8>(0x80 | (code & 0x3f));
}
