import { describe, expect, test } from "bun:test";
import { log } from "../base/log.ts";
import { LIMITS } from "../base/limits.ts";
import type { FilterHost } from "../filter/filter.ts";
import { pluginOf } from "../filter/testing.ts";
import { MemoryBody } from "../http/body.ts";
import { HeaderList } from "../http/headers.ts";
import { answerTo, bodyOf, bytes, gateway, incoming } from "./testing.ts";

log.configure({ level: "error", format: "text" });

/** Changes the target and asks for another choice of the route. */
const rewriteTo = (target: string) =>
  pluginOf(`to ${target}`, {
    onRequestHeaders(host) {
      host.exchange.request.target = target;
      host.exchange.clearRoute();
      return "continue";
    },
  });

const refusing = pluginOf("auth", {
  onRequestHeaders(host) {
    const headers = new HeaderList();
    host.localReply({ status: 401, headers, body: bytes(""), details: "auth" });
    return "pause";
  },
});

describe("handle() when filters change what a route is chosen by", () => {
  test("sends the request to the route that matches afterwards", async () => {
    const plane = gateway(undefined, [rewriteTo("/b/x?y=1")], { "/b/*": [] });
    const answer = await answerTo(plane, incoming());
    await bodyOf(answer);
    const [sent] = plane.sent;
    expect(`${sent?.upstream} ${sent?.target}`).toBe("app-/b/* /b/x?y=1");
  });

  test("keeps the route when nothing asks for another choice", async () => {
    const quiet = pluginOf("quiet", {
      onRequestHeaders(host) {
        host.exchange.request.target = "/b/x";
        return "continue";
      },
    });
    const plane = gateway(undefined, [quiet], { "/b/*": [refusing] });
    await bodyOf(await answerTo(plane, incoming()));
    expect(plane.sent[0]?.upstream).toBe("app");
  });

  test("keeps the route when none matches any more", async () => {
    const elsewhere = pluginOf("elsewhere", {
      onRequestHeaders(host) {
        host.exchange.request.authority = "unknown.example";
        host.exchange.clearRoute();
        return "continue";
      },
    });
    const plane = gateway(undefined, [elsewhere]);
    await bodyOf(await answerTo(plane, incoming()));
    const [sent] = plane.sent;
    expect(`${sent?.upstream} ${sent?.authority}`).toBe("app unknown.example");
  });

  test("runs the filters that the new route has more: none is got around", async () => {
    const plane = gateway(undefined, [rewriteTo("/b/x")], { "/b/*": [refusing] });
    const answer = await answerTo(plane, incoming());
    expect(answer.status).toBe(401);
    await bodyOf(answer);
    expect(plane.sent).toEqual([]);
  });

  test("runs a filter that both routes have once", async () => {
    const calls: string[] = [];
    const both = pluginOf("both", {
      onRequestHeaders: () => (calls.push("request"), "continue"),
      onResponseHeaders: () => (calls.push("response"), "continue"),
    });
    const plane = gateway(undefined, [both, rewriteTo("/b/x")], { "/b/*": [both] });
    await bodyOf(await answerTo(plane, incoming()));
    expect(calls).toEqual(["request", "response"]);
    expect(plane.sent[0]?.upstream).toBe("app-/b/*");
  });

  test("hands the body of a request to the new route's filters, too", async () => {
    const seen: string[] = [];
    const reader = pluginOf("reader", {
      onRequestBody(host: FilterHost) {
        seen.push(new TextDecoder().decode(host.body("request")?.read(0, 99)));
        return "continue";
      },
    });
    const plane = gateway(
      async ({ body }) => {
        while ((await body?.read()) !== undefined);
        return {};
      },
      [rewriteTo("/b/x")],
      { "/b/*": [reader] },
    );
    const body = new MemoryBody(bytes("abc"));
    await bodyOf(await answerTo(plane, incoming({ method: "POST", body })));
    expect(seen).toEqual(["abc"]);
  });

  test("ends a game of ball between routes", async () => {
    const others = Object.fromEntries(
      Array.from({ length: LIMITS.routeChangesMax + 2 }, (_, at) => [
        `/r${at}`,
        [rewriteTo(`/r${at + 1}`)],
      ]),
    );
    const plane = gateway(undefined, [rewriteTo("/r0")], others);
    const answer = await answerTo(plane, incoming());
    expect(answer.status).toBe(503);
    expect(await bodyOf(answer)).toContain("FILTER_FAILED");
    expect(plane.sent).toEqual([]);
    expect(plane.lives).toBe(0);
  });
});
