import { describe, expect, test } from "bun:test";
import { deadlines } from "../../../base/deadlines.ts";
import { collect } from "../../../http/body.ts";
import { GatewayError } from "../../../base/errors.ts";
import { type Answer, type Incoming, promised } from "../front.ts";
import { HTTP1_BOUNDS } from "./bounds.ts";
import { type Ends, endsOf } from "./http1-incoming.ts";
import { answer, eventually, fakeConnection, microtasks, QueueBody } from "./http1.testing.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/** Collects requests, and answers each with what the test says. */
function held(change: Parameters<typeof fakeConnection>[1] = {}) {
  const requests: Incoming[] = [];
  const replies: ((answer: Answer) => void)[] = [];
  const handle = (incoming: Incoming): Promise<Answer> => {
    requests.push(incoming);
    const { promise, resolve } = Promise.withResolvers<Answer>();
    replies.push(resolve);
    return promise;
  };
  const fake = fakeConnection(handle, change);
  const reply = async (given: Answer): Promise<void> => {
    replies.at(-1)?.(given);
    await microtasks();
  };
  return { ...fake, requests, reply };
}

/** The request's body, read once. */
function read(incoming: Incoming | undefined): Promise<string> {
  return Promise.try(() => incoming?.body?.read()).then(
    (bytes) => String(bytes),
    (error: unknown) => (error instanceof GatewayError ? error.code : String(error)),
  );
}

const reject = (): Promise<Answer> => Promise.reject(new Error("broken"));

/** Promises five bytes and has none. */
function tooShort(): Answer {
  const body = new QueueBody(5);
  body.push(undefined);
  return answer(body);
}

describe("Connection", () => {
  test("sends head and first chunk in one write, and a short stream with its end", async () => {
    for (const length of [5, undefined]) {
      const { socket, receive, reply } = held();
      receive(GET);
      const body = new QueueBody(length);
      body.push("hello");
      body.push(undefined);
      await reply(answer(body));
      expect([socket.writes, socket.sent.includes("hello")]).toEqual([1, true]);
    }
  });

  test("closes at once when the client can have sent nothing more, else it lingers", async () => {
    const whole = fakeConnection(async () => answer("ok", { close: true }));
    whole.receive(GET);
    await microtasks();
    expect(whole.socket.calls).toEqual(["end"]);
    const cases = [
      { name: "a pipelined request", text: GET + GET },
      { name: "an unread body", text: `${POST}5\r\nhel` },
      { name: "no request at all", text: "GET\r\n" },
    ];
    for (const { name, text } of cases) {
      const { socket, receive, connection } = fakeConnection(async () =>
        answer("ok", { close: true }),
      );
      receive(text);
      await microtasks();
      expect(socket.calls, name).toEqual(["shutdown"]);
      receive("more");
      connection.onEnd();
      expect(socket.calls, name).toEqual(["shutdown", "end"]);
      expect(socket.sent.match(/HTTP/g), name).toHaveLength(1);
    }
  });

  test("reads on after its last answer only so long and so much", async () => {
    const bounds = { ...HTTP1_BOUNDS, lingerBytesMax: 1000, lingerMs: 20 };
    const much = fakeConnection(async () => answer(""), { bounds });
    much.receive("GET\r\n");
    much.receive("x".repeat(900));
    expect(much.socket.calls).toEqual(["shutdown"]);
    much.receive("x".repeat(200));
    expect(much.socket.calls).toEqual(["shutdown", "end"]);
    const long = fakeConnection(async () => answer(""), { bounds });
    long.receive("GET\r\n");
    await new Promise<void>((resume) => {
      deadlines.arm(50, resume);
    });
    expect(long.socket.calls).toEqual(["shutdown", "end"]);
  });

  test("lets others have their turn between the requests of a long pipeline", async () => {
    let handled = 0;
    const { receive } = fakeConnection(async () => {
      handled++;
      return answer("ok");
    });
    receive(GET.repeat(100));
    await microtasks();
    expect(handled).toBe(32);
    await new Promise(setImmediate);
    await microtasks();
    expect(handled).toBe(64);
  });

  test("takes no head for begun when the turn that it waited for finds nothing", async () => {
    const bounds = { ...HTTP1_BOUNDS, headMs: 10, keepAliveMs: 60_000 };
    const { socket, receive } = fakeConnection(() => Promise.resolve(answer("ok")), { bounds });
    receive(GET.repeat(40));
    await microtasks();
    receive(GET); // Before that turn.
    await microtasks();
    expect(socket.sent.split("HTTP/1.1 200").length - 1).toBe(41);
    await Bun.sleep(50); // Five times what a head that has begun may take.
    expect([socket.sent.includes("REQUEST_TIMEOUT"), socket.calls]).toEqual([false, []]);
  });

  test("gives every request its own 100 Continue, and every head its own time", async () => {
    const bounds = { ...HTTP1_BOUNDS, headMs: 10 };
    const { socket, receive, requests, reply } = held({ bounds });
    for (const count of [1, 2, 3]) {
      const head = POST.replace("Transfer", "Expect: 100-continue\r\nTransfer");
      receive(head.slice(0, 20));
      receive(head.slice(20));
      const body = read(requests.at(-1));
      expect(socket.sent.split("100 Continue").length - 1).toBe(count);
      receive("5\r\nhello\r\n0\r\n\r\n");
      expect(await body).toBe("hello");
      await reply(answer("ok"));
    }
    receive("GET / HTT");
    await eventually(() => socket.sent.includes("REQUEST_TIMEOUT"));
  });

  test("pauses the socket while too much waits, and resumes it", async () => {
    const bounds = { ...HTTP1_BOUNDS, receiveBufferBytes: 1000 };
    const { socket, receive, requests, reply } = held({ bounds });
    receive(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\n${"x".repeat(900)}`);
    expect(socket.calls).toEqual([]);
    receive("x".repeat(2100));
    expect(socket.calls).toEqual(["pause"]);
    const body = requests[0]?.body;
    expect((await collect(body as NonNullable<typeof body>, 5000))?.length).toBe(3000);
    expect(socket.calls).toEqual(["pause", "resume"]);
    await reply(answer("ok"));
    receive(GET);
    receive(GET.repeat(50)); // Pipelined while the first waits for its answer.
    expect(socket.calls).toEqual(["pause", "resume", "pause"]);
  });

  test("gives the client time again with each byte that it takes, and no more", async () => {
    const bounds = { ...HTTP1_BOUNDS, sendIdleMs: 200 };
    const { socket, connection, receive, reply } = held({ bounds });
    socket.room = 100;
    receive(GET);
    await reply(answer("x".repeat(5000)));
    const startMs = performance.now();
    while (performance.now() < startMs + 400) {
      await new Promise<void>((resume) => {
        deadlines.arm(20, resume);
      });
      socket.room = 1;
      connection.onDrain();
      expect(socket.calls).toEqual([]);
    }
    await eventually(() => socket.calls.length > 0);
    expect(socket.calls).toEqual(["terminate"]);
  });

  test("has no deadline for a body while nobody waits for it", async () => {
    const bounds = { ...HTTP1_BOUNDS, bodyIdleMs: 20 };
    const { receive, requests } = held({ bounds });
    receive(POST);
    const first = read(requests[0]);
    receive("3\r\none\r\n");
    expect(await first).toBe("one");
    await new Promise<void>((resume) => {
      deadlines.arm(50, resume); // The reader is busy elsewhere for longer than bodyIdleMs.
    });
    receive("3\r\ntwo\r\n");
    expect(await read(requests[0])).toBe("two");
  });
});

describe("Connection errors", () => {
  test("never reads on behind a body that broke while its answer was sent", async () => {
    const { socket, receive, requests, reply } = held();
    receive(`${POST}zz\r\n0\r\n\r\n${GET}`);
    const stream = new QueueBody();
    await reply(answer(stream));
    expect(await read(requests[0])).toBe("REQUEST_MALFORMED");
    stream.push(undefined);
    await microtasks();
    expect([requests.length, socket.calls]).toEqual([1, ["shutdown"]]);
  });

  test("cuts off the body of a pipelined request that a FIN has left incomplete", async () => {
    const { connection, receive, requests, reply } = held();
    receive(`${GET}${POST}5\r\nhe`);
    connection.onEnd();
    await reply(answer("one"));
    expect(requests).toHaveLength(2);
    expect([await read(requests[1]), await read(requests[1])]).toEqual(["he", "CLIENT_GONE"]);
  });

  test("resets the connection when not even a refusal can be sent", async () => {
    const options = {
      host: "",
      port: 0,
      reusePort: false,
      handle: promised(reject),
      refuse: tooShort,
    };
    const { socket, receive } = fakeConnection(reject, { options });
    receive(GET);
    await microtasks();
    expect([socket.calls, socket.sent]).toEqual([["terminate"], ""]);
  });

  test("gives up a client that takes nothing of a head whose body has yet to come", async () => {
    const { socket, receive, reply } = held({ bounds: { ...HTTP1_BOUNDS, sendIdleMs: 10 } });
    socket.room = 0;
    receive(GET);
    await reply(answer(new QueueBody()));
    await eventually(() => socket.calls.includes("terminate"));
  });

  test("gives up a client as soon as a write shows that it is gone, paused or not", async () => {
    for (const when of ["at the head", "at the drain"]) {
      const { socket, connection, requests, receive, reply } = held();
      receive(POST);
      const body = new QueueBody(undefined);
      body.push("hello");
      socket.broken = when === "at the head";
      socket.room = when === "at the head" ? Infinity : 3;
      await reply(answer(body));
      socket.broken = true;
      connection.onDrain();
      await microtasks();
      expect(requests[0]?.cancellation.cancelled).toBe(true);
      expect(socket.calls).toContain("terminate");
    }
  });

  test("knows no address of a client that has gone before it was looked at", () => {
    const ends = { remoteAddress: undefined, remotePort: 0, localAddress: undefined, localPort: 0 };
    expect(endsOf(ends as unknown as Ends, "http").remoteAddress).toBe("");
  });

  test("writes nothing of a chunk that comes after the client has gone", async () => {
    const { socket, connection, receive, requests, reply } = held();
    receive(GET);
    const late = Promise.withResolvers<Uint8Array>();
    await reply(answer(Object.assign(new QueueBody(), { read: () => late.promise })));
    const { writes } = socket;
    connection.onClose();
    late.resolve(Buffer.from("late"));
    await microtasks();
    receive(GET); // Nor does the connection come back to life.
    expect([socket.writes, requests.length]).toEqual([writes, 1]);
  });

  test("leaves no rejection behind when the reader of a body has turned away", async () => {
    const { connection, receive, requests } = held();
    receive(POST);
    const abandoned = requests[0]?.body?.read();
    expect(abandoned).toBeInstanceOf(Promise);
    connection.onClose();
    await microtasks();
    await new Promise(setImmediate); // An unhandled rejection would fail this test by now.
    expect(requests[0]?.cancellation.cancelled).toBe(true);
  });

  test("leaves the next request alone when the last body is read behind its end", async () => {
    const bounds = { ...HTTP1_BOUNDS, bodyIdleMs: 30 };
    const { receive, requests, reply } = held({ bounds });
    receive(`${POST}0\r\n\r\n`);
    expect(await read(requests[0])).toBe("undefined");
    await reply(answer("ok"));
    receive(POST);
    const waiting = read(requests[1]);
    expect(await read(requests[0])).toBe("undefined");
    expect(await waiting).toBe("REQUEST_TIMEOUT"); // Else its deadline was cleared by the other.
  });
});
