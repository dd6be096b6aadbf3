import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { type HttpbinServer, serveHttpbin } from "../server.ts";

let server: HttpbinServer;
beforeAll(() => {
  server = serveHttpbin({ host: "127.0.0.1", port: 0 });
});
afterAll(() => server.stop());

function ask(path: string, init?: RequestInit): Promise<Response> {
  return fetch(`http://${server.address}${path}`, init);
}

async function shape(response: Promise<Response>): Promise<Record<string, unknown>> {
  expect((await response).status).toBe(200);
  return (await (await response).json()) as Record<string, unknown>;
}

describe("/headers", () => {
  test("shows Title-Cased names, sorted, with two spaces and a final newline", async () => {
    const response = await ask("/headers", {
      headers: {
        "x-wasm-added": "True",
        accept: "*/*",
        "user-agent": "test/1",
        "accept-encoding": "identity",
        __proto__x: "kept",
      },
    });
    expect(await response.text()).toBe(
      [
        "{",
        '  "headers": {',
        '    "Accept": "*/*",',
        '    "Accept-Encoding": "identity",',
        '    "Connection": "keep-alive",',
        `    "Host": "${server.address}",`,
        '    "User-Agent": "test/1",',
        '    "X-Wasm-Added": "True",',
        '    "__proto__x": "kept"',
        "  }",
        "}",
        "",
      ].join("\n"),
    );
  });

  test("hides none of what a gateway adds", async () => {
    const headers = { "x-forwarded-for": "1.2.3.4", via: "1.1 a", "x-request-id": "r" };
    const shown = await shape(ask("/headers", { headers }));
    expect(shown["headers"]).toMatchObject({
      "X-Forwarded-For": "1.2.3.4",
      Via: "1.1 a",
      "X-Request-Id": "r",
    });
  });
});

describe("/ip and /user-agent", () => {
  test("/ip shows the peer", async () => {
    expect(await shape(ask("/ip"))).toEqual({ origin: "127.0.0.1" });
  });

  test("/ip prefers X-Forwarded-For", async () => {
    const headers = { "x-forwarded-for": "10.1.1.1, 10.2.2.2" };
    expect(await shape(ask("/ip", { headers }))).toEqual({ origin: "10.1.1.1, 10.2.2.2" });
  });

  test("/user-agent shows the line", async () => {
    const headers = { "user-agent": "curl/8" };
    expect(await shape(ask("/user-agent", { headers }))).toEqual({ "user-agent": "curl/8" });
  });
});

describe("/get", () => {
  test("shows args, headers, origin and url and nothing else", async () => {
    const shown = await shape(ask("/get?b=2&a=1&b=3&__proto__=x"));
    expect(Object.keys(shown)).toEqual(["args", "headers", "origin", "url"]);
    expect(JSON.stringify(shown["args"])).toBe('{"__proto__":"x","a":"1","b":["2","3"]}');
    expect(shown["url"]).toBe(`http://${server.address}/get?b=2&a=1&b=3&__proto__=x`);
  });

  test("builds the url from what a gateway says about the scheme", async () => {
    const headers = { "x-forwarded-proto": "https", host: "api.example.com" };
    const shown = await shape(ask("/get", { headers }));
    expect(shown["url"]).toBe("https://api.example.com/get");
  });
});

describe("/post, /put, /patch, /delete", () => {
  test.each(["POST", "PUT", "PATCH", "DELETE"])("%s shows text and JSON", async (method) => {
    const body = '{"b": [1, {"c": null}], "a": "ä"}';
    const shown = await shape(ask(`/${method.toLowerCase()}?x=1`, { method, body }));
    expect(shown).toMatchObject({
      args: { x: "1" },
      data: body,
      files: {},
      form: {},
      json: { b: [1, { c: null }], a: "ä" },
      origin: "127.0.0.1",
    });
    expect(Object.keys(shown)).toEqual("args data files form headers json origin url".split(" "));
  });

  test("shows a form's fields", async () => {
    const body = new URLSearchParams("b=2&a=1&b=%20x");
    const shown = await shape(ask("/post", { method: "POST", body }));
    expect(shown).toMatchObject({ data: "", form: { a: "1", b: ["2", " x"] }, json: null });
  });

  test("shows a multipart form's fields and files", async () => {
    const body = new FormData();
    body.append("field", "value");
    body.append("text", new File(["content"], "a.txt", { type: "text/plain" }));
    body.append("binary", new File([Uint8Array.of(0xff, 0xfe)], "a.bin", { type: "image/png" }));
    const shown = await shape(ask("/post", { method: "POST", body }));
    expect(shown).toMatchObject({
      data: "",
      form: { field: "value" },
      files: { text: "content", binary: "data:application/octet-stream;base64,//4=" },
    });
  });

  test("shows bytes that are no text as a data: URL", async () => {
    const shown = await shape(ask("/post", { method: "POST", body: Uint8Array.of(0xc3, 0x28) }));
    expect(shown).toMatchObject({ data: "data:application/octet-stream;base64,wyg=", json: null });
  });

  test("shows an empty body", async () => {
    const shown = await shape(ask("/post", { method: "POST" }));
    expect(shown).toMatchObject({ data: "", files: {}, form: {}, json: null });
  });
});

describe("/post errors", () => {
  test("refuses a body above the limit with 413", async () => {
    const body = new Uint8Array(LIMITS.httpbinEchoBytesMax + 1);
    const response = await ask("/post", { method: "POST", body });
    expect(response.status).toBe(413);
    expect(await response.text()).toContain(`${LIMITS.httpbinEchoBytesMax} bytes`);
  });

  test("refuses JSON whose indentation would be far larger than itself", async () => {
    const body = "[".repeat(20_000) + "]".repeat(20_000);
    expect((await ask("/post", { method: "POST", body })).status).toBe(413);
  });

  test.each([
    { name: "without a boundary", type: "multipart/form-data", body: "x" },
    { name: "cut in the middle", type: "multipart/form-data; boundary=b", body: "--b\r\nConte" },
  ])("answers a multipart form $name with 400", async ({ type, body }) => {
    const headers = { "content-type": type };
    expect((await ask("/post", { method: "POST", body, headers })).status).toBe(400);
  });
});

describe("/anything", () => {
  test.each([
    { method: "GET", path: "/anything" },
    { method: "PUT", path: "/anything/deep/er" },
    { method: "OPTIONS", path: "/anything/x" },
  ])("shows $method $path", async ({ method, path }) => {
    const shown = await shape(ask(path, { method }));
    expect(shown).toMatchObject({ method, url: `http://${server.address}${path}`, data: "" });
    expect(Object.keys(shown)).toEqual(
      "args data files form headers json method origin url".split(" "),
    );
  });
});

describe("/gzip", () => {
  test("sends gzip bytes and says so", async () => {
    const options = { decompress: false } satisfies BunFetchRequestInit;
    const response = await fetch(`http://${server.address}/gzip`, options);
    expect(response.headers.get("content-encoding")).toBe("gzip");
    const text = new TextDecoder().decode(Bun.gunzipSync(await response.arrayBuffer()));
    expect(JSON.parse(text)).toMatchObject({ gzipped: true, method: "GET", origin: "127.0.0.1" });
  });
});
