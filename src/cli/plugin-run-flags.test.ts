import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, UsageError } from "./args.ts";
import { PLUGIN_RUN_FLAGS, runOptionsOf } from "./plugin-run-flags.ts";

const flags = (...args: string[]) => runOptionsOf(parse(args, PLUGIN_RUN_FLAGS, 0).values);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("runOptionsOf()", () => {
  test("asks for the root with GET when it is told nothing", async () => {
    const options = await flags();
    expect(options.request).toEqual({ method: "GET", url: "http://example.test/", headers: [] });
    expect(options.upstream).toBeUndefined();
    expect(options.config).toBeUndefined();
  });

  test("reads the request as curl's users write it", async () => {
    const { request } = await flags(
      "--request",
      "PUT http://a.test/x",
      "-H",
      "X-A: 1: 2",
      "--header",
      "X-\u00fc:\u00fc",
      "-d",
      "hello",
      "--chunk",
      "2",
      "--trailer",
      "X-T: t",
    );
    expect(request).toEqual({
      method: "PUT",
      url: "http://a.test/x",
      headers: [
        ["X-A", "1: 2"],
        ["X-\u00c3\u00bc", "\u00c3\u00bc"],
      ],
      body: [bytes("he"), bytes("ll"), bytes("o")],
      trailers: [["X-T", "t"]],
    });
    expect((await flags("-d", "x", "--request", "/y")).request).toMatchObject({
      method: "POST",
      url: "/y",
    });
  });

  test("reads what the upstream and call-outs answer", async () => {
    const answered = await flags(
      "--response",
      "201",
      "--response-header",
      "A: b",
      "--response-body",
      "ok",
      "--response-trailer",
      "C: d",
      "--call-response",
      "auth 403 go away",
      "--call-response",
      "auth timeout",
      "--call-response",
      "127.0.0.1:80 reset",
      "--grpc-response",
      "auth 0 hi",
      "--grpc-response",
      "auth 7 denied",
      "--grpc-response",
      "auth timeout",
    );
    expect(answered.upstream).toEqual({
      status: 201,
      headers: [["A", "b"]],
      body: [bytes("ok")],
      trailers: [["C", "d"]],
    });
    expect(answered.callOuts).toEqual([
      { upstream: "auth", status: 403, body: [bytes("go away")] },
      { upstream: "auth", delayMs: 60_001 },
      { upstream: "127.0.0.1:80", error: expect.any(String) },
    ]);
    expect(answered.grpc).toEqual([
      { upstream: "auth", status: 0, messages: [bytes("hi")] },
      { upstream: "auth", status: 7, message: "denied" },
      { upstream: "auth", delayMs: 60_001 },
    ]);
    expect((await flags("--response", "timeout")).upstream).toEqual({
      failure: "UPSTREAM_READ_TIMEOUT",
    });
    expect((await flags("--response-body", "x")).upstream).toMatchObject({ status: 200 });
  });

  test("reads what is around the plugin", async () => {
    const options = await flags(
      "--config",
      "{}",
      "--vm-config",
      "v",
      "--root-id",
      "r",
      "--env",
      "K=a=b",
      "--abi",
      "http-wasm",
      "--fail",
      "open",
      "--filter-buffer",
      "10",
      "--queue",
      "q=item",
      "--ticks",
      "2",
      "--ticks-after",
      "0",
    );
    expect(options).toMatchObject({
      config: bytes("{}"),
      vmConfig: bytes("v"),
      rootId: "r",
      allow: { env: { K: "a=b" } },
      abi: "http-wasm",
      fail: "open",
      filterBufferBytes: 10,
      queueItems: [{ queue: "q", item: "item" }],
      ticks: 2,
      ticksAfter: 0,
    });
  });

  test("reads files byte for byte", async () => {
    const folder = mkdtempSync(join(tmpdir(), "flags-"));
    try {
      const file = join(folder, "body");
      writeFileSync(file, Buffer.from([0, 255, 10]));
      const options = await flags("--body-file", file, "--config-file", file);
      expect(options.request?.body).toEqual([new Uint8Array([0, 255, 10])]);
      expect(options.config).toEqual(new Uint8Array([0, 255, 10]));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("runOptionsOf() errors", () => {
  test.each([
    [["--fail", "ajar"], '--fail takes open or closed, not "ajar"'],
    [["--abi", "wasi"], '--abi takes auto, proxy-wasm or http-wasm, not "wasi"'],
    [["--request", "GET /a b"], "--request takes 'METHOD URL', not \"GET /a b\""],
    [["-H", "no colon"], "--header takes 'NAME: VALUE', not \"no colon\""],
    [["--trailer", ": x"], "--trailer takes 'NAME: VALUE', not \": x\""],
    [["--response", "99"], '--response takes a status from 200 to 599, not "99"'],
    [["--response", "toString"], '--response takes a status from 200 to 599, not "toString"'],
    [["--call-response", "auth"], "--call-response takes 'UPSTREAM STATUS [BODY]', not \"auth\""],
    [["--call-response", "auth 1"], '--call-response takes a status from 200 to 599, not "1"'],
    [["--grpc-response", "a"], "--grpc-response takes 'UPSTREAM STATUS [MESSAGE]', not \"a\""],
    [["--grpc-response", "a 17"], '--grpc-response takes a status from 0 to 16, not "17"'],
    [["--env", "KEY"], '--env takes NAME=VALUE, not "KEY"'],
    [["--queue", "=x"], '--queue takes NAME=VALUE, not "=x"'],
    [["--ticks", "10001"], '--ticks takes a number up to 10000, not "10001"'],
    [["--ticks-after", "-1"], '--ticks-after takes a number up to 10000, not "-1"'],
    [["-d", "x", "--chunk", "0"], '--chunk takes a number up to 67108864, not "0"'],
    [["--config", "a", "--config-file", "b"], "--config and --config-file mean the same"],
  ])("says what a flag takes: %p", async (args, says) => {
    const [flag = "", value = "", ...rest] = args;
    const joined = value.startsWith("-") ? [`${flag}=${value}`] : [flag, value];
    const thrown = await flags(...joined, ...rest).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(UsageError);
    expect((thrown as UsageError).message).toContain(says);
  });

  test("names a file that cannot be read", async () => {
    const thrown = await flags("--body-file", "gone").catch((error: unknown) => error);
    expect(String(thrown)).toContain("Cannot read gone");
  });
});
