import { describe, expect, test } from "bun:test";
import { collect } from "../../../http/body.ts";
import { toGatewayError } from "../../../base/errors.ts";
import type { Answer, Incoming } from "../front.ts";
import { SeededRandom } from "../../../base/random.testing.ts";
import { mutate, REQUESTS } from "./fuzz-requests.testing.ts";
import { answer, fakeConnection, refuse } from "./http1.testing.ts";

/** Repeats a run: SEED=… bun test http1-fuzz. */
const SEED = Number(process.env["SEED"] ?? 20_260_102);
const CASES = 3000;

interface Outcome {
  /** Requests that were handed on, with their bodies; POST reads it, the others do not. */
  readonly handled: readonly string[];
  /** Status of each answer, and whether it closes; "!" for bytes that are no answer. */
  readonly answers: readonly string[];
  readonly over: string;
}

/** Runs a connection on a socket that takes everything. */
async function run(pieces: readonly string[]): Promise<Outcome> {
  const handled: string[] = [];
  const handle = async ({ method, target, body }: Incoming): Promise<Answer> => {
    const entry = handled.push(`${method} ${target}`) - 1;
    if (method !== "POST" || body === undefined) return answer("ok");
    try {
      const bytes = (await collect(body, 1e6)) ?? new Uint8Array(0);
      handled[entry] += ` ${Buffer.from(bytes).toString("latin1")}`;
      return answer("ok");
    } catch (error) {
      handled[entry] += ` !${toGatewayError(error).code}`;
      return refuse(error);
    }
  };
  const { socket, connection, receive } = fakeConnection(handle);
  for (const piece of pieces) {
    if (piece !== "") receive(piece);
    // Everything happens in microtasks, but for a turn that long pipelines take.
    await new Promise(setImmediate);
  }
  // Which of the two closes depends on what was left unread, and so on the split.
  const isClosed = socket.calls.includes("end") || socket.calls.includes("shutdown");
  const over = socket.calls.includes("terminate") ? "reset" : isClosed ? "closed" : "open";
  const outcome = { handled: [...handled], answers: readAnswers(socket.sent, handled), over };
  connection.onClose();
  return outcome;
}

/** @param handled to know which answer belongs to a HEAD */
function readAnswers(sent: string, handled: readonly string[]): string[] {
  const answers: string[] = [];
  let rest = sent.replaceAll("HTTP/1.1 100 Continue\r\n\r\n", "");
  while (rest !== "") {
    const head = /^HTTP\/1\.1 (\d{3}) [^\r]*\r\n(?:[^\r]+\r\n)*?\r\n/.exec(rest);
    if (head === null) return [...answers, "!"];
    const isHead = handled[answers.length]?.startsWith("HEAD ") === true;
    const length = isHead ? 0 : Number(/^Content-Length: (\d+)/m.exec(head[0])?.[1] ?? Number.NaN);
    answers.push(`${head[1]}${head[0].includes("Connection: close") ? " close" : ""}`);
    rest = rest.slice(head[0].length + length);
  }
  return answers;
}

/**
 * What the requests of `text` are, found in another way: on the whole text, by patterns. Stops at
 * the first one that is not right or not whole.
 */
function reference(text: string): string[] {
  const found: string[] = [];
  let rest = text;
  for (;;) {
    const parts = HEAD.exec(rest);
    if (parts === null) return found;
    const [all, method = "", target = "", version = "", lines = ""] = parts;
    const values = (name: string): string[] =>
      [...lines.matchAll(/^([^:\r]+):[ \t]*(.*?)[ \t]*\r\n/gm)].flatMap(([, key, value]) =>
        key?.toLowerCase() === name ? [value ?? ""] : [],
      );
    const [lengths, codings] = [values("content-length"), values("transfer-encoding")];
    const hosts = values("host").length;
    const listed = values("connection")
      .join(",")
      .toLowerCase()
      .split(/[ \t]*,[ \t]*/);
    const isWrong =
      (method === "CONNECT"
        ? false
        : target === "*"
          ? method !== "OPTIONS"
          : !/^(\/|[a-z][a-z0-9+.-]*:\/\/)/i.test(target)) ||
      hosts > 1 ||
      (hosts === 0 && version === "1") ||
      lengths.length + codings.length > 1 ||
      (codings.length === 1 && (version === "0" || codings[0]?.toLowerCase() !== "chunked")) ||
      (lengths.length === 1 && !/^(0|[1-9]\d{0,14})$/.test(lengths[0] ?? "")) ||
      (version === "1" && values("expect").some((value) => value.toLowerCase() !== "100-continue"));
    if (isWrong) return found;
    rest = rest.slice(all.length);
    const body = codings.length === 1 ? chunks(rest) : plain(rest, Number(lengths[0] ?? 0));
    const hasBody = codings.length === 1 || Number(lengths[0] ?? 0) > 0;
    const isRead = method === "POST" && hasBody;
    if (body === undefined) return [...found, `${method} ${target}`];
    found.push(isRead ? `${method} ${target} ${body.text}` : `${method} ${target}`);
    rest = rest.slice(body.length);
    const keeps =
      version === "1"
        ? !listed.includes("close")
        : listed.includes("keep-alive") && !listed.includes("close");
    // Without 100 Continue nobody knows whether the body comes: the connection ends there.
    if (!keeps || method === "CONNECT") return found;
    if (!isRead && hasBody && version === "1" && values("expect").length > 0) return found;
  }
}

const TOKEN_CHAR = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]";
const REQUEST_LINE = `(${TOKEN_CHAR}{1,64}) ([\\x21-\\x7e\\x80-\\xff]+) HTTP/1\\.([01])\\r\\n`;
const HEADER_LINES = `((?:${TOKEN_CHAR}+:[\\t\\x20-\\x7e\\x80-\\xff]*\\r\\n)*)`;
const HEAD = new RegExp(`^(?:\\r\\n){0,4}${REQUEST_LINE}${HEADER_LINES}\\r\\n`);

function plain(rest: string, length: number): { text: string; length: number } | undefined {
  return rest.length < length ? undefined : { text: rest.slice(0, length), length };
}

/** undefined: broken or not whole. */
function chunks(wire: string): { text: string; length: number } | undefined {
  let at = 0;
  let text = "";
  for (;;) {
    const size = /^([0-9a-f]{1,16})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?\r\n/i.exec(wire.slice(at));
    if (size === null || size[0].length > 258) return undefined;
    at += size[0].length;
    const length = Number.parseInt(size[1] ?? "", 16);
    if (length === 0) break;
    if (wire.slice(at + length, at + length + 2) !== "\r\n") return undefined;
    text += wire.slice(at, at + length);
    at += length + 2;
  }
  const end = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n/.exec(
    wire.slice(at),
  );
  const framing = /^(host|content-length|transfer-encoding|connection|expect|te|upgrade):/im;
  return end === null || framing.test(end[0]) ? undefined : { text, length: at + end[0].length };
}

describe("a connection", () => {
  test(`answers mutated requests in one way however they are split (seed ${SEED})`, async () => {
    const seeded = new SeededRandom(SEED);
    const random = (end: number): number => seeded.below(end);
    const seen = { clean: 0, refused: 0, waiting: 0 };
    for (let n = 0; n < CASES; n++) {
      const parts = Array.from({ length: 1 + random(4) }, () =>
        mutate(seeded.pick(REQUESTS), seeded),
      );
      const all = parts.join("");
      const text = random(3) === 0 ? all.slice(0, random(all.length)) : all;
      const whole = await run([text]);
      const at = [random(text.length + 1), random(text.length + 1)].toSorted((a, b) => a - b);
      const split = await run([text.slice(0, at[0]), text.slice(at[0], at[1]), text.slice(at[1])]);
      const where = `case ${n}: ${JSON.stringify(text)}`;
      expect(split, where).toEqual(whole);
      // No answer without a request, and none twice: at most a refusal follows the last one.
      const { handled, answers } = whole;
      expect(answers, where).not.toContain("!");
      expect(answers.length, where).toBeLessThanOrEqual(handled.length + 1);
      expect(answers.length, where).toBeGreaterThanOrEqual(handled.length - 1);
      for (const early of answers.slice(0, -1)) expect(early, where).not.toContain("close");
      const isClosed = answers.at(-1)?.includes("close") === true;
      if (isClosed) expect(whole.over, where).toBe("closed");
      // That a skipped body is broken shows only when its request has been answered.
      else if (handled.at(-1)?.startsWith("POST ") !== false)
        expect(whole.over, where).toBe("open");
      // The oracle knows whole bodies only; a body that is broken or cut off is read in part.
      expect(handled.map(withoutFault), where).toEqual(reference(text));
      seen[isClosed ? "refused" : handled.length > answers.length ? "waiting" : "clean"]++;
    }
    // Else the mutations would be too wild, or too tame, to say anything.
    expect(Math.min(seen.clean, seen.refused, seen.waiting)).toBeGreaterThan(CASES / 150);
  });

  test("hands on nothing from inside a body, split at any byte", async () => {
    const text = REQUESTS.join("");
    const whole = await run([text]);
    expect(whole.handled).toHaveLength(REQUESTS.length);
    expect(whole.handled.map((line) => line.split(" ")[1])).not.toContain("/smuggled");
    expect(whole.answers).toEqual(REQUESTS.map(() => "200"));
    for (let at = 1; at < text.length; at++) {
      expect(await run([text.slice(0, at), text.slice(at)])).toEqual(whole);
    }
    expect(await run(text.split(""))).toEqual(whole);
  });
});

function withoutFault(line: string): string {
  return line.replace(/ !\w+$/, "");
}
