/**
 * Hostile and unusual requests on raw sockets, for both fronts: what each answers, what of it
 * reaches the node, and that nothing behind a refused request is ever served.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { BOTH_FRONTS, FRONTS, type FrontName, portOf as portOn } from "./support/fronts.ts";
import { type Gateway, startGateway } from "./support/gateway.ts";
import { BODY_MAX, type Case, HOSTILE, SMUGGLED } from "./support/hostile-requests.ts";
import { RawConnection } from "./support/raw-client.ts";
import { type NodeCall, ScriptedNode } from "./support/scripted-node.ts";

const HOST = "Host: a.test\r\n";
/** ms; a refusal closes its connection well within that. */
const CLOSES_WITHIN_MS = 2000;

let node: ScriptedNode;
let gateway: Gateway;
let workers: number[];

const started = new AsyncDisposableStack();

beforeAll(async () => {
  node = started.use(new ScriptedNode((call) => call.reply("200 OK", [], call.target)));
  gateway = started.use(
    await startGateway(`${BOTH_FRONTS}
limits: { request_body: ${BODY_MAX} }
routes:
  - uri: /*
    upstream: { nodes: { "${node.address}": 1 } }
`),
  );
  workers = gateway.workers();
});

afterAll(() => started.disposeAsync());

describe.each(FRONTS)("front %s", (front) => {
  describe.each(Object.keys(HOSTILE))("%s", (group) => {
    test.each(casesOf(group))("$name", async (given) => {
      expect(given[front].split(" or ")).toContain(await verdictOn(front, given));
    });
  });

  const refused = Object.values(HOSTILE)
    .flat()
    .filter((given) => /^\w+ \S+ close$/.test(given[front]));

  test("serves nothing that stands behind a refused request", async () => {
    const leaks: string[] = [];
    for (const { name, send } of refused) {
      const before = node.callsTo("/smuggled").length;
      using raw = await RawConnection.open(portOf(front));
      await raw.write(send + SMUGGLED);
      // Either it closes, or what it has made of the bytes behind has arrived before the next one.
      await raw.responses(1);
      expect((await ask(front, "/alive")).status).toBe(200);
      if (node.callsTo("/smuggled").length > before) leaks.push(name);
    }
    expect(leaks).toEqual([]);
  });

  test("is unharmed by them: same worker, quiet log, clear requests at the node", async () => {
    const [calls, lines] = [node.calls.length, gateway.lines.length];
    for (const { send } of Object.values(HOSTILE).flat()) {
      using raw = await RawConnection.open(portOf(front));
      await raw.write(send);
      await raw.responses(1);
    }
    for (const each of FRONTS) expect((await ask(each, "/alive")).status).toBe(200);
    expect(gateway.workers()).toEqual(workers);
    expect(gateway.lines.slice(lines).filter((line) => / (warn|error) |stack=/.test(line))).toEqual(
      [],
    );
    const unclear = node.calls.slice(calls).filter((call) => !isClear(call));
    expect(unclear.map((call) => call.lines)).toEqual([]);
  });

  test("answers 413 when a chunked body has grown over the limit", async () => {
    const half = `${(BODY_MAX / 2).toString(16)}\r\n${"c".repeat(BODY_MAX / 2)}\r\n`;
    using raw = await RawConnection.open(portOf(front));
    const path = `/counted-${front}`;
    await raw.write(
      `POST ${path} HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${half}${half}`,
    );
    const call = await node.call(path);
    await raw.write(half);
    const [response] = await raw.responses(1);
    expect(response?.status).toBe(413);
    expect(JSON.parse(response?.body ?? "")).toMatchObject({ error: "REQUEST_BODY_TOO_LARGE" });
    expect(await raw.closed(CLOSES_WITHIN_MS)).toBe(true);
    await call.gone();
    expect(call.complete).toBe(false);
  });

  test("answers 413 when a chunk claims 2 GiB and the limit is reached", async () => {
    using raw = await RawConnection.open(portOf(front));
    const head = `POST /p HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;
    await raw.write(`${head}7FFFFFFF\r\n${"d".repeat(BODY_MAX + 1)}`);
    expect((await raw.responses(1))[0]?.status).toBe(413);
    expect(await raw.closed(CLOSES_WITHIN_MS)).toBe(true);
  });

  test("refuses a header line that never ends", async () => {
    using raw = await RawConnection.open(portOf(front));
    await raw.write(`GET /endless HTTP/1.1\r\n${HOST}X-A: ${"a".repeat(200_000)}`);
    expect((await raw.responses(1))[0]?.status).toBe(431);
    expect(await raw.closed(CLOSES_WITHIN_MS)).toBe(true);
    expect(node.callsTo("/endless")).toEqual([]);
  });

  test("forgets a client that leaves in the middle of its request", async () => {
    const heads = ["GET /left", `POST /left HTTP/1.1\r\n${HOST}Content-Le`];
    for (const head of heads) {
      using raw = await RawConnection.open(portOf(front));
      await raw.write(head);
    }
    const path = `/left-in-body-${front}`;
    const raw = await RawConnection.open(portOf(front));
    await raw.write(`POST ${path} HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nhello`);
    const call = await node.call(path);
    raw.close();
    await call.gone();
    expect(call.complete).toBe(false);
    expect(node.callsTo("/left")).toEqual([]);
  });
});

describe("front http1", () => {
  test("comes to the same verdict however the bytes are cut", async () => {
    const short = Object.values(HOSTILE)
      .flat()
      .filter((given) => given.send.length < 400);
    for (const given of short) {
      expect(`${given.name}: ${await verdictOn("http1", given, 7)}`).toBe(
        `${given.name}: ${given.http1}`,
      );
    }
  });

  test("tells code, status and a request id of its own in every refusal", async () => {
    const ids = new Set<string>();
    const cases = casesOf("framing").filter((given) => given.http1.startsWith("400"));
    for (const { send } of cases) {
      using raw = await RawConnection.open(portOf("http1"));
      await raw.write(send);
      const [response] = await raw.responses(1);
      const told = JSON.parse(response?.body ?? "") as { request_id: string };
      expect(told).toEqual({
        error: "REQUEST_MALFORMED",
        status: response?.status ?? 0,
        request_id: expect.any(String),
      } as unknown as typeof told);
      expect(response?.headers.get("content-type")).toEqual(["application/json"]);
      ids.add(told.request_id);
    }
    expect(ids.size).toBe(cases.length);
  });

  test("answers pipelined requests in order, a slow one first", async () => {
    node.on("/slow", () => {});
    using raw = await RawConnection.open(portOf("http1"));
    await raw.write(`GET /slow HTTP/1.1\r\n${HOST}\r\nGET /fast HTTP/1.1\r\n${HOST}\r\n`);
    const slow = await node.call("/slow");
    expect(raw.received).toBe("");
    await slow.reply("200 OK", [], "/slow");
    expect((await raw.responses(2)).map(({ body }) => body)).toEqual(["/slow", "/fast"]);
  });

  test("answers a hundred pipelined requests, bodies between them", async () => {
    const targets = Array.from({ length: 100 }, (_, n) => `/piped/${n}`);
    const requests = targets.map((target, n) =>
      n % 2 === 0
        ? `GET ${target} HTTP/1.1\r\n${HOST}\r\n`
        : `POST ${target} HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`,
    );
    using raw = await RawConnection.open(portOf("http1"));
    await raw.write(requests.join(""));
    const responses = await raw.responses(targets.length);
    expect(responses.map(({ body }) => body)).toEqual(targets);
  });

  test("answers what came before a malformed request, then refuses, then closes", async () => {
    const before = node.callsTo("/smuggled").length;
    using raw = await RawConnection.open(portOf("http1"));
    await raw.write(`GET /first HTTP/1.1\r\n${HOST}\r\nGET /bad HTTP/1.1\r\n\r\n${SMUGGLED}`);
    expect(await raw.closed(CLOSES_WITHIN_MS)).toBe(true);
    expect((await raw.responses(2)).map(({ status }) => status)).toEqual([200, 400]);
    expect(node.callsTo("/bad")).toEqual([]);
    expect(node.callsTo("/smuggled").length).toBe(before);
  });
});

describe("front serve", () => {
  test("closes, and serves nothing twice, when a second request comes too early", async () => {
    node.on("/pending", () => {});
    const before = node.callsTo("/smuggled").length;
    using raw = await RawConnection.open(portOf("serve"));
    await raw.write(`GET /pending HTTP/1.1\r\n${HOST}\r\n`);
    const call = await node.call("/pending");
    await raw.write(SMUGGLED);
    expect(await raw.closed(CLOSES_WITHIN_MS)).toBe(true);
    await call.gone();
    expect(raw.received).toBe("");
    expect(node.callsTo("/pending").length).toBe(1);
    expect(node.callsTo("/smuggled").length).toBe(before);
  });
});

function casesOf(group: string): Case[] {
  return [...(HOSTILE[group] ?? [])];
}

function portOf(front: FrontName): number {
  return portOn(gateway, front);
}

async function ask(front: FrontName, target: string): Promise<{ status: number }> {
  using raw = await RawConnection.open(portOf(front));
  await raw.write(`GET ${target} HTTP/1.1\r\n${HOST}\r\n`);
  const [response] = await raw.responses(1);
  return { status: response?.status ?? 0 };
}

/** @param piece bytes that are sent at a time */
async function verdictOn(front: FrontName, given: Case, piece = Infinity): Promise<string> {
  const { send } = given;
  const before = node.calls.length;
  using raw = await RawConnection.open(portOf(front));
  for (let at = 0; at < send.length; at += piece) {
    await raw.write(send.slice(at, Math.min(send.length, at + piece)));
    if (piece < Infinity) await Bun.sleep(0); // So that the pieces do not become one.
  }
  const [response] = await raw.responses(1);
  const end = await (given[front].includes(" open") ? openOrClosed(raw) : closedOrOpen(raw));
  const calls = node.calls.slice(before).filter((call) => call.target !== "/again");
  await Promise.all(calls.map((call) => call.whole().catch(() => {})));
  // What was cut short is known as such to the node: it acts on complete requests only.
  const seen = calls.filter((call) => call.complete).map(describeCall);
  const code = /"error":"(\w+)"/.exec(response?.body ?? "")?.[1] ?? "-";
  const verdict = `${response?.status ?? "none"} ${code} ${end}`;
  return seen.length === 0 ? verdict : `${verdict} → ${seen.join(" + ")}`;
}

function describeCall({ method, target, body, trailers }: NodeCall): string {
  return [method, target, body.toString("latin1"), ...trailers]
    .filter((part) => part !== "")
    .join(" ");
}

async function openOrClosed(raw: RawConnection): Promise<string> {
  await raw.write(`GET /again HTTP/1.1\r\n${HOST}\r\n`);
  return (await raw.responses(2)).length === 2 ? "open" : "close";
}

async function closedOrOpen(raw: RawConnection): Promise<string> {
  return (await raw.closed(CLOSES_WITHIN_MS)) ? "close" : "open";
}

/** Nobody could find another host in it, or another end. */
function isClear(call: NodeCall): boolean {
  const framing = [...call.all("content-length"), ...call.all("transfer-encoding")];
  return call.all("host").length === 1 && framing.length <= 1;
}
