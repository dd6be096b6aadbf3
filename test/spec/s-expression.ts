/** The parentheses, words and strings that the text format is made of, with where they stood. */
export interface Node {
  /** A word, undefined for lists and strings. */
  readonly word: string | undefined;
  /** Bytes of a string, undefined for lists and words. */
  readonly string: Uint8Array | undefined;
  readonly list: readonly Node[];
  readonly start: number;
  readonly end: number;
}

const TOKEN = /\s+|;;[^\n]*|(\()|(\))|("(?:[^"\\]|\\.)*")|([^\s()";]+)/gy;

/** Reads every top-level form. */
export function readNodes(text: string): Node[] {
  const open: { list: Node[]; start: number }[] = [{ list: [], start: 0 }];
  const put = (node: Node): void => void open.at(-1)?.list.push(node);
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const start = blockCommentEnd(text, TOKEN.lastIndex);
    TOKEN.lastIndex = start;
    if (start === text.length) break;
    const found = TOKEN.exec(text);
    if (found === null) throw new Error(`Cannot read the script at character ${start}`);
    const end = start + found[0].length;
    const [, left, right, string, word] = found;
    if (left !== undefined) open.push({ list: [], start });
    else if (right !== undefined) {
      const closed = open.pop();
      if (closed === undefined || open.length === 0) {
        throw new Error(`Cannot read the script: one ")" too many at character ${start}`);
      }
      put({ word: undefined, string: undefined, ...closed, end });
    } else if (string !== undefined) {
      put({ word: undefined, string: unescaped(string.slice(1, -1)), list: [], start, end });
    } else if (word !== undefined) put({ word, string: undefined, list: [], start, end });
  }
  if (open.length !== 1) throw new Error(`Cannot read the script: ${open.length - 1} ")" missing`);
  return open[0]?.list ?? [];
}

/** Where a block comment that starts here ends; they nest. */
function blockCommentEnd(text: string, start: number): number {
  if (!text.startsWith("(;", start)) return start;
  let depth = 0;
  let at = start;
  do {
    if (text.startsWith("(;", at)) depth++;
    else if (text.startsWith(";)", at)) depth--;
    else {
      at++;
      continue;
    }
    at += 2;
  } while (depth > 0 && at < text.length);
  return blockCommentEnd(text, at);
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

function unescaped(text: string): Uint8Array {
  const encoder = new TextEncoder();
  const bytes: number[] = [];
  for (const [, code, hex, other, plain] of text.matchAll(
    /\\u\{([0-9a-fA-F_]+)\}|\\([0-9a-fA-F]{2})|\\(.)|([^\\]+)/gs,
  )) {
    if (code !== undefined) bytes.push(...encoder.encode(String.fromCodePoint(parseInt(code, 16))));
    else if (hex !== undefined) bytes.push(parseInt(hex, 16));
    else bytes.push(...encoder.encode(plain ?? ESCAPES[other ?? ""] ?? other ?? ""));
  }
  return Uint8Array.from(bytes);
}
