import { describe, expect, test } from "bun:test";
import { messageOf } from "../../../src/base/errors.ts";
import { CountingClient } from "./counting-client.ts";
import { until } from "./gateway.ts";
import { echoNode, heldNode, rawNode, refusingAddress, serveNode } from "./nodes.ts";
import { rssBytes } from "./processes.ts";
import { parseResponses, RawConnection, sendRaw } from "./raw-client.ts";

const GET = "GET /a?b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
const MIB = 1024 * 1024;

describe("echoNode()", () => {
  test("shows what has arrived", async () => {
    await using node = echoNode("one");
    const request = GET.replace("\r\n\r\n", "\r\nContent-Length: 2\r\n\r\nhi").replace(
      "GET",
      "POST",
    );
    const { text } = await sendRaw(node.port, request);
    expect(JSON.parse(parseResponses(text)[0]?.body ?? "")).toMatchObject({
      node: "one",
      method: "POST",
      target: "/a?b",
      headers: { host: "x" },
      body: "hi",
    });
    expect(node.requests).toBe(1);
  });
});

describe("heldNode()", () => {
  test("answers when it is released, and at once from then on", async () => {
    await using node = heldNode();
    const answers = [sendRaw(node.port, GET), sendRaw(node.port, GET)];
    await node.untilHeld(2);
    expect(node.held).toBe(2);
    node.release();
    for (const { text } of await Promise.all(answers)) expect(text).toEndWith("released");
    expect((await sendRaw(node.port, GET)).text).toEndWith("released");
    expect(node.held).toBe(0);
  });
});

describe("rawNode()", () => {
  test("answers the bytes, closes, and keeps the head that has come", async () => {
    await using node = rawNode("not HTTP \xff");
    expect(await sendRaw(node.port, GET)).toEqual({ text: "not HTTP \xff", closed: true });
    expect(node.heads).toEqual([GET]);
  });

  test("answers every head on a connection that is kept open", async () => {
    await using node = rawNode("HTTP/1.1 204 No Content\r\n\r\n", { keepOpen: true });
    const raw = await RawConnection.open(node.port);
    await raw.write(GET + GET);
    await raw.until(/(204[^]*){2}/);
    expect(node.requests).toBe(2);
    raw.close();
  });
});

describe("refusingAddress()", () => {
  test("refuses", async () => {
    const port = Number(refusingAddress().split(":")[1]);
    expect(await RawConnection.open(port).catch(() => "refused")).toBe("refused");
  });
});

describe("CountingClient", () => {
  test("counts an answer that it reads in two goes, without keeping it", async () => {
    await using node = serveNode(() => new Response(new Uint8Array(30 * MIB)));
    const before = process.memoryUsage().arrayBuffers;
    const client = await CountingClient.open(node.port, GET);
    await client.untilStart(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\n/);
    client.pause();
    const head = client.start.indexOf("\r\n\r\n") + 4;
    client.resume();
    await client.untilReceived(head + 30 * MIB);
    expect(client.receivedBytes).toBe(head + 30 * MIB);
    await until(
      () => client.ended,
      (ended) => ended,
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * MIB);
  });

  test("sends as many bytes as it is told to", async () => {
    await using node = serveNode(async (request) => {
      let bytes = 0;
      for await (const chunk of request.body ?? []) bytes += chunk.byteLength;
      return new Response(`${bytes} bytes`);
    });
    const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${20 * MIB}\r\n\r\n`;
    const client = await CountingClient.open(node.port, head);
    await client.send(20 * MIB);
    await client.untilStart(/\r\n\r\n20971520 bytes$/);
    expect(client.sentBytes).toBe(20 * MIB);
    client.close();
  });

  test("says how far it came when the connection ends too early", async () => {
    await using node = rawNode("HTTP/1.1 200 OK\r\n\r\nabc");
    const client = await CountingClient.open(node.port, GET);
    const waiting = client.untilReceived(1000).catch(messageOf);
    expect(await waiting).toMatch(/ended before 1000 bytes came: 22 bytes received/);
  });
});

describe("rssBytes()", () => {
  test("adds processes up and takes an ended one for nothing", () => {
    const one = rssBytes([process.pid]);
    expect(one).toBeGreaterThan(10 * MIB);
    expect(rssBytes([process.pid, 2 ** 30])).toBeLessThan(2 * one);
  });
});
