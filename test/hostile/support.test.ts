import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { HTTP_HANDLER_SIGNATURES } from "../../src/abi/http-wasm/signatures.ts";
import { HOST_FUNCTION_SIGNATURES } from "../../src/abi/proxy-wasm/signatures.ts";
import { sendRaw } from "../e2e/support/raw-client.ts";
import { assemble, moduleText, pairs } from "./assemble.ts";
import { GROUPS, GUESTS } from "./catalogue.ts";
import { type Outcome, readAnswer, StrictClient } from "./client.ts";
import { verdictOf } from "./drive.ts";
import { attack, callback, type HostileGuest } from "./guest.ts";
import { REFUSED } from "./guests/start.ts";
import { HonestClients, honestRequest } from "./honest-clients.ts";
import { StrictNode } from "./strict-node.ts";

const HEAD = "HTTP/1.1 200 OK\r\n";
const PLAIN: HostileGuest = { name: "a", wat: "", expect: ["200"] };

describe("the catalogue", () => {
  test("has guests of names of their own, each a valid module", () => {
    expect(GUESTS.length).toBeGreaterThan(70);
    expect(new Set(GUESTS.map(({ name }) => name)).size).toBe(GUESTS.length);
    for (const { name, wat } of [...GUESTS, ...REFUSED]) {
      expect({ name, valid: WebAssembly.validate(assemble(wat)) }).toEqual({ name, valid: true });
    }
  });

  test("has names that plugins may have", () => {
    const bad = Object.values(GROUPS)
      .flat()
      .filter(({ name }) => !/^[a-z0-9][a-z0-9-]{0,63}$/.test(name));
    expect(bad).toEqual([]);
  });

  test("hands bad pointers to every host function that takes an argument", () => {
    const all = GUESTS.map(({ wat }) => wat).join("\n");
    const { log, ...handlers } = HTTP_HANDLER_SIGNATURES;
    const signatures = { ...HOST_FUNCTION_SIGNATURES, ...handlers, http_log: log };
    const missing = Object.entries(signatures)
      .filter(([name, signature]) => !signature.startsWith(">") && !all.includes(`$${name} #-1`))
      .map(([name]) => name);
    expect(missing).toEqual([]);
  });
});

describe("assemble()", () => {
  test("brings imports and the prelude that the text uses, and nothing else", () => {
    const text = moduleText(attack("request_headers", "(drop (call $proxy_done))"));
    expect(text).toContain('(import "env" "proxy_done"');
    expect(text).toContain("(func $armed");
    expect(text).not.toContain("(func $spell");
  });

  test("leaves out what the text brings itself", () => {
    const text = moduleText('(memory (export "memory") 9) (func (export "malloc"))');
    expect(text.match(/\(memory /g)).toHaveLength(1);
    expect(text).not.toContain("proxy_on_memory_allocate");
  });

  test("tells what is wrong with a text", () => {
    expect(() => assemble(callback("tick", "(call $nobody)"))).toThrow("$nobody");
  });

  test("lays out pairs as host functions read them", () => {
    expect([...pairs([["a", "bc"]])]).toEqual([
      1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 97, 0, 98, 99, 0,
    ]);
  });
});

describe("readAnswer()", () => {
  test.each([
    { name: "a length", text: `${HEAD}Content-Length: 2\r\n\r\nok`, body: "ok" },
    {
      name: "chunks and trailers",
      text: `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n`,
      body: "ok",
    },
    { name: "an interim answer", text: `HTTP/1.1 103 E\r\n\r\n${HEAD}Content-Length: 0\r\n\r\n` },
    { name: "204", text: "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n" },
  ])("reads $name to its last byte, and not before", ({ text, body = "" }) => {
    expect(readAnswer(text)).toMatchObject({ answer: { body }, length: text.length });
    for (let cut = 0; cut < text.length; cut++) {
      expect(readAnswer(text.slice(0, cut))).toBeUndefined();
    }
  });

  test.each([
    { name: "two lengths", text: `${HEAD}Content-Length: 2\r\nContent-Length: 2\r\n\r\nok` },
    {
      name: "a length and chunks",
      text: `${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    },
    { name: "no framing", text: `${HEAD}\r\n` },
    { name: "a bad status", text: "HTTP/1.1 999 X\r\n\r\n" },
    { name: "a name that is none", text: `${HEAD}x y: 1\r\nContent-Length: 0\r\n\r\n` },
    { name: "a bare line feed", text: `${HEAD}x: 1\ny: 2\r\nContent-Length: 0\r\n\r\n` },
    { name: "a NUL", text: `${HEAD}x: \0\r\nContent-Length: 0\r\n\r\n` },
    { name: "a bad chunk size", text: `${HEAD}Transfer-Encoding: chunked\r\n\r\nx\r\n\r\n` },
    { name: "a bad chunk end", text: `${HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n` },
  ])("takes $name for no answer", ({ text }) => {
    expect(readAnswer(text)).toBeString();
  });
});

describe("StrictNode", () => {
  test.each([
    { name: "a second Host", text: "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" },
    { name: "a bare line feed", text: "GET / HTTP/1.1\r\nHost: a\r\nX: 1\nY: 2\r\n\r\n" },
    {
      name: "two framings",
      text: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    },
    { name: "a blank in the target", text: "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n" },
    {
      name: "bytes behind a body",
      text: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nabc d\r\n\r\n",
    },
  ])("keeps $name as a problem, and breaks the connection", async ({ text }) => {
    await using node = new StrictNode();
    const { closed } = await sendRaw(Number(node.address.split(":")[1]), text);
    expect(closed).toBe(true);
    expect(node.problems).toHaveLength(1);
  });
});

function answer(status: number, body: string): Outcome {
  return { kind: "answer", answer: { status, lines: [], body } };
}

/** What becomes of one request to that port. */
async function ask(port: number): Promise<string> {
  const outcome = await new StrictClient(port).ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 20);
  return outcome.kind;
}

describe("verdictOf()", () => {
  const echo = { method: "GET", target: "/get", lines: [], body: "" };

  test.each([
    { outcome: answer(200, JSON.stringify(echo)), verdict: "200" },
    {
      outcome: answer(503, '{"error":"FILTER_FAILED","status":503}'),
      verdict: "503 FILTER_FAILED",
    },
    { outcome: answer(418, ""), verdict: "418" },
    { outcome: { kind: "cut" } as const, verdict: "cut" },
  ])("$verdict", ({ outcome, verdict }) => {
    expect(verdictOf(outcome, PLAIN, true)).toBe(verdict);
  });

  test.each([
    { name: "another body", outcome: answer(200, "hello") },
    { name: "another target", outcome: answer(200, JSON.stringify({ ...echo, target: "/b" })) },
    { name: "a body at the node", outcome: answer(200, JSON.stringify({ ...echo, body: "b" })) },
    {
      name: "a smuggled line at the node",
      outcome: answer(200, JSON.stringify({ ...echo, lines: [["x-evil", "1"]] })),
    },
    { name: "what a guest found", outcome: answer(599, "\x01\0\0\0\x02\0\0\0") },
  ])("is a sentence for $name", ({ outcome }) => {
    expect(verdictOf(outcome, PLAIN, true)).toContain(" ");
  });
});

describe("HonestClients", () => {
  let node: StrictNode;
  let port: number;

  beforeAll(() => {
    node = new StrictNode();
    port = Number(node.address.split(":")[1]);
  });

  afterAll(() => node[Symbol.asyncDispose]());

  test("notice an answer that is not the right one", async () => {
    const wrong = { name: "wrong", host: "a", target: "/b", body: "", header: ["x", "y"] } as const;
    const clients = HonestClients.start(port, [honestRequest(wrong)], 1);
    while (clients.problems.length === 0) await Bun.sleep(1);
    await clients.stop();
    expect(clients.answered).toBe(0);
  });

  test("count the right ones", async () => {
    const body = JSON.stringify({ method: "GET", target: "/b", lines: [["host", "a"]], body: "" });
    const right = { name: "r", host: "a", target: "/b", body, header: ["x", undefined] } as const;
    const clients = HonestClients.start(port, [honestRequest(right)], 1);
    while (clients.answered < 3) await Bun.sleep(1);
    await clients.stop();
    expect(clients.problems).toEqual([]);
  });

  test("StrictClient tells a silent server from one that closes", async () => {
    const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const closing = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: (socket) => void socket.end(`${HEAD}Content-Length: 9\r\n\r\nx`) },
    });
    expect(await ask(silent.port)).toBe("silent");
    expect(await ask(closing.port)).toBe("cut");
    silent.stop(true);
    closing.stop(true);
    expect(await ask(closing.port)).toBe("refused");
  });
});
