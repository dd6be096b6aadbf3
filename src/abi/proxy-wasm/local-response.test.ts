import { describe, expect, test } from "bun:test";
import { BAD, FakeFilterHost, ScriptedGuest, wire } from "./testing.ts";
import { Status } from "./types.ts";

describe("proxy_send_local_response()", () => {
  test("hands the reply to the chain when the callback has returned, and stops it", () => {
    const { kit, host, reply } = open((env) => {
      const status = reply(env, { headers: [["X-Why", "no"]], body: "denied", details: "why" });
      expect(status).toBe(Status.Ok);
      expect(host.replies).toEqual([]); // Not from inside the guest.
      return 0;
    });
    expect(kit.stream(host).onRequestHeaders(true)).toBe("pause");
    expect(host.replies).toHaveLength(1);
    expect(host.replies[0]).toMatchObject({ status: 403, details: "why" });
    expect([...(host.replies[0]?.headers ?? [])]).toEqual([["X-Why", "no"]]);
    expect(Buffer.from(host.replies[0]?.body ?? []).toString()).toBe("denied");
  });

  test.each([
    { grpc: -1, line: undefined },
    { grpc: 0, line: "0" },
    { grpc: 16, line: "16" },
    { grpc: 17, line: undefined },
  ])("makes $grpc a grpc-status line of $line", ({ grpc, line }) => {
    const { kit, host, reply } = open((env) => reply(env, { grpc }));
    kit.stream(host).onRequestHeaders(true);
    expect(host.replies[0]?.headers.get("grpc-status")).toBe(line);
  });

  test.each([
    { type: "application/grpc", message: "50%25 of it, d%C3%A9j%C3%A0%0A", body: "" },
    { type: "application/grpc+proto", message: "50%25 of it, d%C3%A9j%C3%A0%0A", body: "" },
    { type: "application/grpc-web", message: undefined, body: "50% of it, déjà\n" },
    { type: "text/plain", message: undefined, body: "50% of it, déjà\n" },
  ])("has its text where a client that sent $type looks for it", ({ type, message, body }) => {
    const text = Buffer.from("50% of it, déjà\n").toString("latin1");
    const { kit, host, reply } = open((env) => reply(env, { grpc: 10, body: text }));
    host.request.headers.set("content-type", type);
    kit.stream(host).onRequestHeaders(true);
    const made = host.replies[0];
    expect(made?.headers.get("grpc-message")).toBe(message);
    expect(Buffer.from(made?.body ?? []).toString()).toBe(body);
  });

  test("is Ok a second time, and does nothing but warn", () => {
    const { kit, host, reply } = open((env) => {
      expect(reply(env, {})).toBe(Status.Ok);
      expect(reply(env, { status: 500 })).toBe(Status.Ok);
      return 0;
    });
    expect(kit.stream(host).onRequestHeaders(true)).toBe("pause");
    expect(kit.host.logged).toEqual([expect.stringContaining("no effect")]);
  });

  test("does not stop the callbacks of the response that it has made", () => {
    const { kit, host, reply } = open((env) => reply(env, {}));
    const stream = kit.stream(host);
    stream.onRequestHeaders(true);
    expect(stream.onResponseHeaders(true)).toBe("continue");
  });

  test("leaves out header lines that would break the message, and pseudo headers", () => {
    const headers = [
      ["a", "1\r\nb: 2"],
      ["c d", "3"],
      [":status", "200"],
      ["e", "4"],
    ] as const;
    const { kit, host, reply } = open((env) => reply(env, { headers }));
    kit.stream(host).onRequestHeaders(true);
    expect([...(host.replies[0]?.headers ?? [])]).toEqual([["e", "4"]]);
    expect(host.replies[0]?.status).toBe(403);
  });
});

describe("proxy_send_local_response() errors", () => {
  test.each([0, 100, 101, 199, 600, -1, 70_000])("refuses status %p", (status) => {
    const { kit, host, reply } = open((env) => {
      expect(reply(env, { status })).toBe(Status.BadArgument);
      return 0;
    });
    expect(kit.stream(host).onRequestHeaders(true)).toBe("continue");
    expect(host.replies).toEqual([]);
  });

  test("refuses malformed headers, addresses outside the memory, and a missing exchange", () => {
    const { kit, host, reply } = open((env) => {
      const bad = [BAD, 1] as const;
      const none = [0, 0] as const;
      const send = env.proxy_send_local_response;
      expect(send(403, ...none, ...none, 0, 5, -1)).toBe(Status.BadArgument);
      expect(send(403, ...bad, ...none, ...none, -1)).toBe(Status.InvalidMemoryAccess);
      expect(send(403, ...none, ...bad, ...none, -1)).toBe(Status.InvalidMemoryAccess);
      expect(send(403, ...none, ...none, ...bad, -1)).toBe(Status.InvalidMemoryAccess);
      env.proxy_set_effective_context(1);
      expect(reply(env, {})).toBe(Status.BadArgument);
      return 0;
    });
    expect(kit.stream(host).onRequestHeaders(true)).toBe("continue");
    expect(host.replies).toEqual([]);
  });
});

type Env = ScriptedGuest["env"];

function open(onRequestHeaders: (env: Env) => number) {
  const host = new FakeFilterHost();
  const kit: ScriptedGuest = new ScriptedGuest({
    proxy_on_request_headers: () => onRequestHeaders(kit.env),
    proxy_on_response_headers: () => 0,
  });
  const reply = (
    env: Env,
    parts: {
      status?: number;
      headers?: readonly (readonly [string, string])[];
      body?: string;
      details?: string;
      grpc?: number;
    },
  ): number =>
    env.proxy_send_local_response(
      parts.status ?? 403,
      ...kit.put(parts.details ?? ""),
      ...kit.put(parts.body ?? ""),
      ...kit.put(parts.headers === undefined ? "" : wire(parts.headers)),
      parts.grpc ?? -1,
    );
  return { kit, host, reply };
}
