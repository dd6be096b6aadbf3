import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type HttpbinServer, serveHttpbin } from "../server.ts";

let server: HttpbinServer;
beforeAll(() => {
  server = serveHttpbin({ host: "127.0.0.1", port: 0 });
});
afterAll(() => server.stop());

function ask(path: string, init?: RequestInit): Promise<Response> {
  return fetch(`http://${server.address}${path}`, { redirect: "manual", ...init });
}

describe("/status/:codes", () => {
  test.each([200, 204, 304, 404, 418, 503, 599])("answers %i", async (status) => {
    const response = await ask(`/status/${status}`);
    expect(response.status).toBe(status);
    expect(await response.text()).toBe("");
  });

  test("answers every method", async () => {
    for (const method of ["POST", "DELETE", "PATCH"]) {
      expect((await ask("/status/201", { method })).status).toBe(201);
    }
  });

  test("adds the header that a status needs", async () => {
    expect((await ask("/status/301")).headers.get("location")).toBe("/redirect/1");
    expect((await ask("/status/401")).headers.get("www-authenticate")).toStartWith("Basic ");
  });

  test("draws one of a list by weight", async () => {
    expect((await ask("/status/200:0,404:3")).status).toBe(404);
    expect([201, 202]).toContain((await ask("/status/201,202")).status);
  });
});

describe("/status/:codes errors", () => {
  test.each(["abc", "199", "600", "200,", "-200", "200:x", "200:0", "2e2", "99999999999999999999"])(
    "refuses %s with 400",
    async (codes) => {
      expect((await ask(`/status/${codes}`)).status).toBe(400);
    },
  );
});

describe("/redirect/:n", () => {
  test("leads to /get in n steps", async () => {
    const steps: string[] = [];
    for (let path = "/redirect/3"; path !== "/get";) {
      const response = await ask(path);
      expect(response.status).toBe(302);
      path = response.headers.get("location") ?? "none";
      steps.push(path);
    }
    expect(steps).toEqual(["/relative-redirect/2", "/relative-redirect/1", "/get"]);
  });

  test("leads by absolute URLs when asked", async () => {
    const first = await ask("/redirect/2?absolute=true");
    const location = `http://${server.address}/absolute-redirect/1`;
    expect(first.headers.get("location")).toBe(location);
    const second = await ask("/absolute-redirect/1");
    expect(second.headers.get("location")).toBe(`http://${server.address}/get`);
  });

  test("is followed to its end by a client", async () => {
    const response = await ask("/redirect/5", { redirect: "follow" });
    expect(response.url).toBe(`http://${server.address}/get`);
  });
});

describe("/redirect/:n errors", () => {
  test.each(["0", "101", "x"])("refuses %s with 400", async (n) => {
    expect((await ask(`/redirect/${n}`)).status).toBe(400);
  });
});

describe("/response-headers", () => {
  test("sets and repeats what was asked for, its own length included", async () => {
    const response = await ask("/response-headers?X-One=1&X-Two=a&X-Two=b");
    expect(response.headers.get("x-one")).toBe("1");
    expect(response.headers.get("x-two")).toBe("a, b");
    const text = await response.text();
    expect(JSON.parse(text)).toEqual({
      "Content-Length": String(text.length),
      "Content-Type": "application/json",
      "X-One": "1",
      "X-Two": ["a", "b"],
    });
    expect(response.headers.get("content-length")).toBe(String(text.length));
  });
});

describe("/response-headers errors", () => {
  test.each(["Content-Length=5", "transfer-encoding=x", "a%0d%0ab=1", "a=b%0d%0aX:1", "%20=1"])(
    "refuses %s with 400",
    async (query) => {
      expect((await ask(`/response-headers?${query}`)).status).toBe(400);
    },
  );
});

describe("/cookies", () => {
  test("/cookies shows the request's cookies", async () => {
    const response = await ask("/cookies", { headers: { cookie: "b=2; a=1" } });
    expect(await response.text()).toBe('{\n  "cookies": {\n    "a": "1",\n    "b": "2"\n  }\n}\n');
  });

  test("/cookies/set sets each in a line of its own and redirects", async () => {
    const response = await ask("/cookies/set?a=1&b=2");
    expect(response.status).toBe(302);
    expect(response.headers.get("location")).toBe("/cookies");
    expect(response.headers.getSetCookie()).toEqual(["a=1; Path=/", "b=2; Path=/"]);
  });
});

describe("/cookies/set errors", () => {
  test.each(["a=1;b", "a%0d%0a=1", "a=%00", "=1", "a=x%20y"])(
    "refuses %s with 400",
    async (query) => {
      expect((await ask(`/cookies/set?${query.replace(";", "%3b")}`)).status).toBe(400);
    },
  );
});
