import { describe, expect, test } from "bun:test";
import { deadlines } from "../../../base/deadlines.ts";
import { GatewayError } from "../../../base/errors.ts";
import { collect } from "../../../http/body.ts";
import { type Answer, promised } from "../front.ts";
import { startHttp1Front } from "./http1-front.ts";
import {
  answer,
  type Answering,
  eventually,
  QueueBody,
  RawClient,
  refuse,
  startFront,
} from "./http1.testing.ts";

const GET = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
const ok: Answering = async () => answer("ok");

/** Answers every request with one and the same promise. */
function held() {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  return { handle: () => promise, resolve };
}

describe("timeouts", () => {
  test("a head that does not end is answered 408, counted from its first byte", async () => {
    const front = startFront(ok, { headMs: 60 });
    const client = await RawClient.open(front.port);
    const startMs = performance.now();
    // A byte now and then must not buy more time.
    const drip = setInterval(() => client.send("a"), 10);
    client.send("GET /");
    const got = await client.end();
    clearInterval(drip);
    expect(got).toStartWith("HTTP/1.1 408 Request Timeout\r\n");
    expect(got).toContain("Connection: close");
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(55);
    expect(performance.now() - startMs).toBeLessThan(2000);
    front.close();
  });

  test("a connection without a request is closed without a word, new or used", async () => {
    const front = startFront(ok, { keepAliveMs: 50 });
    const silent = await RawClient.open(front.port);
    expect(await silent.end()).toBe("");
    const used = await RawClient.open(front.port);
    used.send(GET);
    expect((await used.end()).match(/HTTP/g)).toHaveLength(1);
    expect(used.over).toBe("end");
    front.close();
  });

  test("a body whose bytes do not come breaks with REQUEST_TIMEOUT in its reader", async () => {
    const front = startFront(
      async ({ body }) => {
        try {
          if (body !== undefined) await collect(body, 100);
          return answer("read");
        } catch (error) {
          return refuse(error);
        }
      },
      { bodyIdleMs: 40 },
    );
    const client = await RawClient.open(front.port);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
    const got = await client.end();
    expect(got).toStartWith("HTTP/1.1 408 ");
    expect(got).toContain("Connection: close");
    expect(got).toEndWith("REQUEST_TIMEOUT");
    front.close();
  });

  test("a body that nobody reads has no deadline", async () => {
    const { handle, resolve } = held();
    const front = startFront(handle, { bodyIdleMs: 20 });
    const client = await RawClient.open(front.port);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
    await eventually(() => front.inFlight === 1);
    await new Promise<void>((resume) => {
      deadlines.arm(60, resume); // Armed later and for longer than the body's would have been.
    });
    resolve(answer("ok", { close: true }));
    expect(await client.end()).toStartWith("HTTP/1.1 200 OK");
    front.close();
  });

  test("a client that takes nothing of its answer is reset", async () => {
    const endless = new QueueBody();
    endless.read = () => Buffer.alloc(65_536);
    let reason: unknown;
    const front = startFront(
      async ({ cancellation }) => {
        cancellation.listen({ cancelled: (why) => (reason = why) });
        return answer(endless);
      },
      { sendIdleMs: 50 },
    );
    const client = await RawClient.open(front.port);
    client.counts = true;
    client.pause();
    client.send(GET);
    await eventually(() => endless.isCancelled);
    expect(reason).toBeInstanceOf(GatewayError);
    expect(front.inFlight).toBe(0);
    front.close();
  });

  test("leave nothing armed when their connections are gone", async () => {
    const before = deadlines.armed;
    const front = startFront(ok);
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.open(front.port)));
    for (const client of clients) client.send(GET);
    await Promise.all(clients.map((client) => client.answers(1)));
    expect(deadlines.armed).toBeGreaterThan(before);
    front.close();
    await Promise.all(clients.map((client) => client.end()));
    expect(deadlines.armed).toBeLessThanOrEqual(before); // Those of other tests may have passed.
  });
});

describe("drain()", () => {
  test("lets every answer close its connection", async () => {
    const front = startFront(ok);
    const client = await RawClient.open(front.port);
    client.send(GET);
    expect((await client.answers(1))[0]?.head).not.toContain("Connection");
    front.drain();
    client.send(GET);
    expect(await client.end()).toContain("Connection: close");
    const late = await RawClient.open(front.port);
    late.send(GET);
    expect(await late.end()).toContain("Connection: close");
    front.close();
  });
});

describe("stop()", () => {
  test("closes idle connections, waits for requests in flight, and takes no new ones", async () => {
    const { handle, resolve } = held();
    const front = startFront(handle);
    const idle = await RawClient.open(front.port);
    const half = await RawClient.open(front.port);
    const busy = await RawClient.open(front.port);
    half.send("GET / HT");
    busy.send(GET + GET);
    await eventually(() => front.inFlight === 1);
    let stopped = false;
    const stopping = front.stop().then(() => (stopped = true));
    await Promise.all([idle.end(), half.end()]);
    expect(await RawClient.open(front.port).catch(() => "refused")).toBe("refused");
    expect([stopped, front.inFlight]).toEqual([false, 1]);
    resolve(answer("ok"));
    const got = await busy.end();
    expect(got.match(/HTTP/g)).toHaveLength(1); // The pipelined one can be asked again elsewhere.
    expect(got).toContain("Connection: close");
    busy.close();
    await stopping;
    await front.stop();
    expect(front.inFlight).toBe(0);
  });

  test("resolves at once when there is nobody", async () => {
    await startFront(ok).stop();
  });
});

describe("close()", () => {
  test("breaks off what is in flight, cancels it, and never lets it look complete", async () => {
    const body = new QueueBody();
    const front = startFront(async () => answer(body));
    const client = await RawClient.open(front.port);
    client.send("GET / HTTP/1.0\r\n\r\n");
    body.push("half");
    await client.until(({ text }) => text.endsWith("half"));
    front.close();
    front.close();
    await client.end();
    expect(client.over).toBe("reset");
    expect(body.isCancelled).toBe(true);
    expect(front.inFlight).toBe(0);
    await front.stop();
  });
});

describe("a connection too many", () => {
  test("is answered 503 and closed; there is room again when one has gone", async () => {
    const front = startFront(ok, { connectionsMax: 2 });
    const clients = [await RawClient.open(front.port), await RawClient.open(front.port)];
    for (const client of clients) client.send(GET);
    await Promise.all(clients.map((client) => client.answers(1)));
    const third = await RawClient.open(front.port);
    const got = await third.end();
    expect(got).toStartWith("HTTP/1.1 503 Service Unavailable\r\n");
    expect(got).toContain("Content-Length: 0\r\nConnection: close\r\n\r\n");
    clients[0]?.close();
    await clients[0]?.end();
    const fourth = await RawClient.open(front.port);
    fourth.send(GET);
    await fourth.answers(1);
    front.close();
  });
});

describe("reusePort", () => {
  test("lets two fronts share a port; without it the port is taken", async () => {
    const options = { host: "127.0.0.1", port: 0, handle: promised(ok), refuse };
    const first = startHttp1Front({ ...options, reusePort: true });
    const second = startHttp1Front({ ...options, port: first.port, reusePort: true });
    expect(second.port).toBe(first.port);
    expect(() => startHttp1Front({ ...options, port: first.port, reusePort: false })).toThrow();
    await first.stop();
    const client = await RawClient.open(second.port);
    client.send(GET);
    await client.answers(1);
    second.close();
  });
});
