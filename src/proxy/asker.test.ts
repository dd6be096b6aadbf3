import { describe, expect, spyOn, test } from "bun:test";
import { GatewayError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import type { Plugin } from "../filter/filter.ts";
import { pluginOf } from "../filter/testing.ts";
import { MemoryBody } from "../http/body.ts";
import { HeaderList } from "../http/headers.ts";
import type { ResponseObserver } from "../upstream/message.ts";
import { handle } from "./exchange.ts";
import type { Answer, Incoming } from "./front/front.ts";
import type { Forwarder } from "./served.ts";
import { microtasks } from "./front/http1/http1.testing.ts";
import { bytes, gateway, incoming, newResponse } from "./testing.ts";

log.configure({ level: "error", format: "text" });

/** What has happened, in order: "returned" is handle(), a number the answer's status. */
function ask(
  send: Forwarder["send"],
  plugins: readonly Plugin[] = [],
  request: Incoming = incoming(),
  onAnswered = (): void => {},
) {
  const events: unknown[] = [];
  const plane = gateway(undefined, plugins);
  const { upstream } = plane.current.router.match("GET", "a.test", "/")?.rule.value ?? {};
  Object.assign(upstream ?? {}, { send });
  const asker = {
    onAnswer({ status }: Answer): void {
      events.push(status);
      onAnswered();
    },
    onFailure: (error: unknown) => void events.push(error),
  };
  handle(plane, request, asker);
  events.push("returned");
  return events;
}

/** An upstream that waits, and what it will tell. */
function waiting() {
  const told: { observer?: ResponseObserver; startedMs?: number | undefined } = {};
  const send: Forwarder["send"] = (_request, { startedMs }, observer) => {
    told.observer = observer;
    told.startedMs = startedMs;
  };
  return { told, send };
}

/** An upstream that reads the body at once, and fails when it is cancelled. */
const sendBody: Forwarder["send"] = ({ body }, { cancellation }, observer) => {
  cancellation.listen({ cancelled: (reason) => observer.failed(reason) });
  void body?.read();
};

describe("handle() tells its asker", () => {
  test("of a response in the call that brings it", () => {
    const { told, send } = waiting();
    const events = ask(send);
    expect(events).toEqual(["returned"]);
    told.observer?.responded(newResponse());
    expect(events).toEqual(["returned", 200]);
  });

  test("of a response that a filter holds, when it lets go", async () => {
    const { told, send } = waiting();
    const { promise, resolve } = Promise.withResolvers<void>();
    const hold = pluginOf("hold", {
      onResponseHeaders(host) {
        void promise.then(() => host.resume("response"));
        return "pause";
      },
    });
    const events = ask(send, [hold]);
    told.observer?.responded(newResponse());
    await microtasks();
    expect(events).toEqual(["returned"]);
    resolve();
    await microtasks();
    expect(events).toEqual(["returned", 200]);
  });

  test.each<{ what: string; send: Forwarder["send"]; request?: Incoming; status: number }>([
    {
      what: "a request that is none",
      send: waiting().send,
      request: incoming({ lines: [] }),
      status: 400,
    },
    {
      what: "an upstream that fails at once",
      send: (_request, _options, observer) =>
        observer.failed(new GatewayError("UPSTREAM_RESET", "Cannot: broken")),
      status: 502,
    },
    {
      what: "an upstream that throws",
      send() {
        throw new GatewayError("UPSTREAM_RESET", "Cannot: broken");
      },
      status: 502,
    },
  ])("of $what only after it has returned", async ({ send, request, status }) => {
    const events = ask(send, [], request);
    expect(events).toEqual(["returned"]);
    await microtasks();
    expect(events).toEqual(["returned", status]);
  });

  test("of a filter's failure in the response, once", async () => {
    const { told, send } = waiting();
    const broken = pluginOf("broken", {
      onResponseHeaders() {
        throw new GatewayError("FILTER_FAILED", "Cannot: broken");
      },
    });
    const events = ask(send, [broken]);
    told.observer?.responded(newResponse());
    await microtasks();
    expect(events).toEqual(["returned", 503]);
  });

  test("of a fault of its own behind a pause, as of any failure", async () => {
    const { told, send } = waiting();
    const hold = pluginOf("hold", {
      onResponseHeaders(host) {
        queueMicrotask(() => host.resume("response"));
        return "pause";
      },
    });
    const events = ask(send, [hold]);
    const headers = new HeaderList();
    told.observer?.responded({ ...newResponse(), headers });
    headers.removeRoles = () => {
      throw new Error("broken");
    };
    await microtasks();
    expect(events).toEqual(["returned", 500]);
  });

  test("once, whatever the upstream says after it", async () => {
    const { told, send } = waiting();
    const events = ask(send);
    told.observer?.responded(newResponse());
    told.observer?.failed(new GatewayError("UPSTREAM_RESET", "Cannot: broken"));
    const late = newResponse();
    const cancel = spyOn(late.body as MemoryBody, "cancel");
    told.observer?.responded(late);
    await microtasks();
    expect(events).toEqual(["returned", 200]);
    expect(cancel).toHaveBeenCalledTimes(1);
  });

  test("once of a failure, whatever comes after it", async () => {
    const { told, send } = waiting();
    const events = ask(send);
    for (let n = 0; n < 2; n++) {
      told.observer?.failed(new GatewayError("UPSTREAM_RESET", "Cannot: broken"));
    }
    told.observer?.responded(newResponse());
    await microtasks();
    expect(events).toEqual(["returned", 502]);
  });

  test("and operators, when that one fails", () => {
    const { told, send } = waiting();
    const write = spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      ask(send, [], incoming(), () => {
        throw new TypeError("not a function");
      });
      told.observer?.responded(newResponse());
      expect(write.mock.calls.join()).toMatch(/ error not a function .*code=GATEWAY_INTERNAL/);
    } finally {
      write.mockRestore();
    }
  });

  test("when a filter cancels the upstream, and enters none while that one works", async () => {
    const steps: string[] = [];
    const replying = pluginOf("replying", {
      onRequestBody(host) {
        steps.push("in");
        const headers = new HeaderList();
        host.localReply({ status: 418, headers, body: bytes("tea"), details: "" });
        steps.push("out");
        return "continue";
      },
      onResponseHeaders() {
        steps.push("response");
        return "continue";
      },
    });
    const body = new MemoryBody(bytes("hello"));
    const events = ask(sendBody, [replying], incoming({ method: "POST", body }));
    await microtasks();
    expect(steps).toEqual(["in", "out", "response"]);
    expect(events).toEqual(["returned", 418]);
  });
});

describe("handle() and the time", () => {
  test.each([
    ["no filter", []],
    ["a filter", [pluginOf("one", { onRequestHeaders: () => "continue" })]],
  ])("tells the upstream when it has begun: %s", (_, plugins) => {
    const { told, send } = waiting();
    const beforeMs = performance.now();
    ask(send, plugins);
    expect(told.startedMs).toBeGreaterThanOrEqual(beforeMs);
    expect(told.startedMs).toBeLessThanOrEqual(performance.now());
  });
});
