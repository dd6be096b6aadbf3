import { describe, expect, test } from "bun:test";
import { GatewayError } from "../base/errors.ts";
import { collect, MemoryBody } from "../http/body.ts";
import { HeaderList } from "../http/headers.ts";
import type { Answer } from "../proxy/front/front.ts";
import { gatewayStatus } from "./admin.testing.ts";
import { answerRequest, refuseRequest } from "./answer.ts";

function ask(method: string, target: string, host = "localhost", body?: MemoryBody): Answer {
  const headers = HeaderList.from([["Host", host]]);
  const incoming = { method, target, version: "1.1", headers, body } as const;
  return answerRequest(incoming, gatewayStatus);
}

async function jsonOf(answer: Answer): Promise<unknown> {
  const bytes = answer.body && (await collect(answer.body, 1_000_000));
  return JSON.parse(new TextDecoder().decode(bytes));
}

describe("answerRequest()", () => {
  test.each([
    ["/ready", "application/json"],
    ["/status", "application/json"],
    ["/metrics", "text/plain; version=0.0.4; charset=utf-8"],
    ["/metrics?name=x", "text/plain; version=0.0.4; charset=utf-8"],
  ])("serves %s", (target, contentType) => {
    const answer = ask("GET", target);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe(contentType);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.has("access-control-allow-origin")).toBe(false);
    expect(answer.body?.length).toBeGreaterThan(20);
    expect(answer.close).toBe(false);
  });

  test("answers HEAD with the length of what GET would answer", () => {
    const head = ask("HEAD", "/status");
    expect(head.body).toBeUndefined();
    expect(head.headers.get("content-length")).toBe(String(ask("GET", "/status").body?.length));
  });

  test("drops a body that nobody asked for, and the connection with it", () => {
    const body = new MemoryBody(new Uint8Array(10));
    expect(ask("GET", "/ready", "localhost", body)).toMatchObject({ status: 200, close: true });
    expect(body.read()).toBeUndefined();
  });
});

describe("answerRequest() refusals", () => {
  test.each(["/", "/ready/", "//ready", "/Ready", "/statu", "http://localhost/ready", "*", ""])(
    "answers %p with 404",
    async (target) => {
      const answer = ask("GET", target);
      expect(answer.status).toBe(404);
      expect(await jsonOf(answer)).toEqual({
        error: "NOT_FOUND",
        status: 404,
        hint: "there are /ready, /status, /metrics",
      });
    },
  );

  test.each(["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "BREW"])(
    "answers %s with 405 and what is allowed",
    async (method) => {
      const answer = ask(method, "/status");
      expect(answer.status).toBe(405);
      expect(answer.headers.get("allow")).toBe("GET, HEAD");
      expect(await jsonOf(answer)).toMatchObject({ error: "METHOD_NOT_ALLOWED" });
    },
  );

  test("refuses another host, whatever is asked for, and repeats nothing of it", async () => {
    for (const target of ["/status", "/nothing"]) {
      const answer = ask("GET", target, "evil.example");
      expect(answer.status).toBe(403);
      const told = await jsonOf(answer);
      expect(told).toMatchObject({ error: "HOST_REFUSED" });
      expect(JSON.stringify(told)).not.toMatch(/evil|nothing/);
    }
  });

  test("answers 500 when there is no status to be had", () => {
    const headers = HeaderList.from([["Host", "localhost"]]);
    const incoming = { method: "GET", target: "/ready", version: "1.1", headers } as const;
    const answer = answerRequest({ ...incoming, body: undefined }, () => {
      throw new Error("a secret");
    });
    expect(answer).toMatchObject({ status: 500, close: true });
  });
});

describe("refuseRequest()", () => {
  test("tells the code, and not the message", async () => {
    const answer = refuseRequest(new GatewayError("REQUEST_URI_TOO_LONG", "a secret"));
    expect(answer).toMatchObject({ status: 414, close: true });
    expect(await jsonOf(answer)).toEqual({ error: "REQUEST_URI_TOO_LONG", status: 414 });
  });
});
