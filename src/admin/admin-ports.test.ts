import { afterEach, describe, expect, test } from "bun:test";
import { freePort } from "../../test/support/free-port.ts";
import { LIMITS } from "../base/limits.ts";
import type { Config } from "../config/config.ts";
import { gatewayStatus } from "./admin.testing.ts";
import { AdminPorts } from "./admin-ports.ts";

const opened: AdminPorts[] = [];
afterEach(() => {
  for (const ports of opened.splice(0)) ports.keepOnly(undefined);
});

function start(): AdminPorts {
  const ports = new AdminPorts(() => gatewayStatus());
  opened.push(ports);
  return ports;
}

function configOf(...at: readonly number[]): Config {
  const listeners = at.map((port, n) => {
    const position = { line: n + 1, column: 1, length: 1 };
    return { address: `127.0.0.1:${port}`, host: "127.0.0.1", port, position };
  });
  return { file: "gateway.yaml", admin: { listeners } } as unknown as Config;
}

const NONE = { file: "gateway.yaml", admin: undefined } as unknown as Config;

async function ready(port: number): Promise<number | "closed"> {
  const answer = fetch(`http://127.0.0.1:${port}/ready`, { keepalive: false });
  return answer.then(
    ({ status }) => status,
    () => "closed",
  );
}

/** Sends text and reads until the other side closes; latin-1. */
async function send(port: number, text: string): Promise<string> {
  let received = "";
  const ended = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_, bytes) => void (received += bytes.toString("latin1")),
      end: () => ended.resolve(),
      close: () => ended.resolve(),
    },
  });
  socket.write(text);
  await ended.promise;
  socket.terminate();
  return received;
}

describe("AdminPorts", () => {
  test("has no port without the word, opens, moves and closes it", async () => {
    const ports = start();
    const [a, b] = [freePort(), freePort()];
    expect(await ports.open(NONE)).toEqual([]);
    expect(await ready(a)).toBe("closed");

    expect(await ports.open(configOf(a))).toEqual([]);
    expect(await ready(a)).toBe(200);
    ports.keepOnly(configOf(a));

    expect(await ports.open(configOf(b))).toEqual([]);
    expect([await ready(a), await ready(b)]).toEqual([200, 200]);
    ports.keepOnly(configOf(b));
    expect([await ready(a), await ready(b)]).toEqual(["closed", 200]);

    ports.keepOnly(NONE);
    expect(await ready(b)).toBe("closed");
  });

  test("goes back to the ports that it had when a generation is refused", async () => {
    const ports = start();
    const [a, b] = [freePort(), freePort()];
    await ports.open(configOf(a));
    ports.keepOnly(configOf(a));
    await ports.open(configOf(a, b));
    ports.keepOnly(configOf(a));
    expect([await ready(a), await ready(b)]).toEqual([200, "closed"]);
  });

  test("says which port it cannot have, and where it is written", async () => {
    const taken = start();
    const [a, b] = [freePort(), freePort()];
    await taken.open(configOf(b));
    const problems = await start().open(configOf(a, b));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({
      severity: "error",
      code: "LISTEN_FAILED",
      position: { line: 2 },
    });
    expect(problems[0]?.message).toStartWith(`Cannot open the status port on 127.0.0.1:${b}: `);
  });
});

describe("AdminPorts with hostile clients", () => {
  const TARGET_MAX = LIMITS.requestTargetBytesMax;
  const HOST = "Host: localhost\r\n";

  test.each([
    ["a long target", `GET /${"a".repeat(TARGET_MAX)} HTTP/1.1\r\n${HOST}\r\n`, 414],
    ["many headers", `GET / HTTP/1.1\r\n${HOST}${"a: b\r\n".repeat(200)}\r\n`, 431],
    ["long headers", `GET / HTTP/1.1\r\n${HOST}a: ${"b".repeat(40_000)}\r\n\r\n`, 431],
    ["no HTTP at all", "\x16\x03\x01\x02\0\x01\0\r\n\r\n", 400],
    ["no Host", "GET /ready HTTP/1.1\r\n\r\n", 400],
    ["two Hosts", `GET /ready HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400],
    ["another Host", "GET /ready HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403],
    ["a method that nobody knows", `BREW /ready HTTP/1.1\r\n${HOST}\r\n`, 405],
    ["another form of target", `GET http://localhost/ready HTTP/1.1\r\n${HOST}\r\n`, 404],
    ["a tunnel", `CONNECT localhost:22 HTTP/1.1\r\n${HOST}\r\n`, 404],
    ["a body", `POST /ready HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`, 405],
    ["a body of no length", `GET /x HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`, 404],
    [
      "an upgrade",
      `GET /x HTTP/1.1\r\n${HOST}Upgrade: websocket\r\nConnection: upgrade\r\n\r\n`,
      404,
    ],
  ])("answers %s as JSON, and serves on", async (_what, text, status) => {
    const ports = start();
    const port = freePort();
    await ports.open(configOf(port));
    // A connection that is kept is closed by what comes next.
    const received = await send(port, `${text}\0\r\n\r\n`);
    expect(received).toStartWith(`HTTP/1.1 ${status} `);
    const body = /\r\n\r\n(\{[^}]*\})/.exec(received)?.[1] ?? "";
    expect(JSON.parse(body)).toMatchObject({ status });
    expect(await ready(port)).toBe(200);
  });

  test("takes so many connections and no more, and serves again when they are gone", async () => {
    const ports = start();
    const port = freePort();
    await ports.open(configOf(port));
    const socket = { data() {} };
    const held = await Promise.all(
      Array.from({ length: LIMITS.adminConnectionsMax }, () =>
        Bun.connect({ hostname: "127.0.0.1", port, socket }),
      ),
    );
    expect(await send(port, "")).toStartWith("HTTP/1.1 503 ");
    for (const one of held) one.terminate();
    let answer = await ready(port);
    while (answer !== 200) {
      await Bun.sleep(10);
      answer = await ready(port);
    }
    expect(answer).toBe(200);
  });
});
