import { describe, expect, test } from "bun:test";
import { FakeFilterHost, ScriptedGuest } from "./testing.ts";
import { Status } from "./types.ts";

describe("proxy_continue_stream()", () => {
  test("resumes the exchange's halves, when the callback has returned", () => {
    const { kit, stream, host } = open();
    kit.within(stream, (env) => {
      expect(env.proxy_continue_stream(0)).toBe(Status.Ok);
      expect(env.proxy_continue_stream(1)).toBe(Status.Ok);
      expect(host.resumed).toEqual([]);
    });
    expect(host.resumed).toEqual(["request", "response"]);
  });

  test("does not pile up what it is told again and again", () => {
    const { kit, stream, host } = open();
    kit.within(stream, (env) => {
      for (let n = 0; n < 1000; n++) {
        env.proxy_continue_stream(0);
        env.proxy_close_stream(0);
        env.proxy_send_local_response(200, 0, 0, 0, 0, 0, 0, -1);
      }
    });
    expect(host.resumed).toEqual(["request"]);
    expect(host.resets).toBe(1);
    expect(host.replies).toHaveLength(1);
    kit.within(stream, (env) => env.proxy_continue_stream(0));
    expect(host.resumed).toHaveLength(2);
  });

  test("has names of its own in ABI 0.1.0", () => {
    const { kit, stream, host } = open();
    kit.within(stream, (env) => {
      expect(env.proxy_continue_request()).toBe(Status.Ok);
      expect(env.proxy_continue_response()).toBe(Status.Ok);
      expect(env.proxy_clear_route_cache()).toBe(Status.Ok);
      expect(host.routeClears).toBe(1);
    });
    expect(host.resumed).toEqual(["request", "response"]);
  });

  test("ends the pause that the same callback asks for", () => {
    const host = new FakeFilterHost();
    const kit: ScriptedGuest = new ScriptedGuest({
      proxy_on_request_headers: () => {
        kit.env.proxy_continue_stream(0);
        return 1;
      },
    });
    expect(kit.stream(host).onRequestHeaders(false)).toBe("continue");
  });

  test("knows no TCP", () => {
    const { kit, stream, host } = open();
    kit.within(stream, (env) => {
      expect(env.proxy_continue_stream(2)).toBe(Status.Ok);
      for (const type of [3, 4, -1]) {
        expect(env.proxy_continue_stream(type)).toBe(Status.BadArgument);
      }
    });
    expect(host.resumed).toEqual([]);
  });

  test("needs an exchange", () => {
    const { kit } = open();
    kit.within(undefined, (env) => {
      expect(env.proxy_continue_stream(0)).toBe(Status.BadArgument);
      expect(env.proxy_close_stream(0)).toBe(Status.BadArgument);
    });
  });
});

describe("proxy_close_stream()", () => {
  test("breaks the exchange off, when the callback has returned", () => {
    const { kit, stream, host } = open();
    kit.within(stream, (env) => {
      expect(env.proxy_close_stream(0)).toBe(Status.Ok);
      expect(env.proxy_close_stream(2)).toBe(Status.Ok);
      expect(env.proxy_close_stream(4)).toBe(Status.BadArgument);
      expect(env.proxy_close_stream(-1)).toBe(Status.BadArgument);
      expect(host.resets).toBe(0);
    });
    expect(host.resets).toBe(1);
  });
});

describe("proxy_set_effective_context()", () => {
  test("lets a callback work on another exchange until it returns", () => {
    const { kit, stream, host } = open();
    const other = new FakeFilterHost();
    const id = kit.stream(other).id;
    kit.within(stream, (env) => {
      expect(env.proxy_set_effective_context(id)).toBe(Status.Ok);
      env.proxy_continue_stream(0);
    });
    kit.within(stream, (env) => env.proxy_continue_stream(1));
    expect(other.resumed).toEqual(["request"]);
    expect(host.resumed).toEqual(["response"]);
  });

  test("goes to the root context and back", () => {
    const { kit, stream, host } = open();
    kit.within(stream, (env) => {
      expect(env.proxy_set_effective_context(1)).toBe(Status.Ok);
      expect(env.proxy_close_stream(0)).toBe(Status.BadArgument);
      expect(env.proxy_set_effective_context(stream.id)).toBe(Status.Ok);
      expect(env.proxy_close_stream(0)).toBe(Status.Ok);
    });
    expect(host.resets).toBe(1);
  });

  test("refuses contexts that are not there, or not any more", () => {
    const { kit, stream } = open();
    const gone = kit.stream();
    gone.onEnd();
    kit.within(stream, (env) => {
      for (const id of [0, 99, -1, gone.id]) {
        expect(env.proxy_set_effective_context(id)).toBe(Status.BadArgument);
      }
    });
  });
});

describe("proxy_done()", () => {
  test("answers NotFound when nobody waits for it", () => {
    const { kit, stream } = open();
    expect(kit.within(stream, (env) => env.proxy_done())).toBe(Status.NotFound);
  });
});

function open() {
  const kit = new ScriptedGuest();
  const host = new FakeFilterHost();
  return { kit, host, stream: kit.stream(host) };
}
