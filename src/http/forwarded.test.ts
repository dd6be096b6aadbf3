import { describe, expect, test } from "bun:test";
import { type Arrival, setForwarded } from "./forwarded.ts";
import { HeaderList } from "./headers.ts";

const ARRIVAL: Arrival = {
  remoteAddress: "192.0.2.7",
  scheme: "http",
  authority: "api.example.com:9080",
  localPort: 9080,
};

describe("setForwarded()", () => {
  test("adds five lines to a request that has none", () => {
    const headers = HeaderList.from([["Accept", "*/*"]]);
    setForwarded(headers, ARRIVAL);
    expect([...headers]).toEqual([
      ["Accept", "*/*"],
      ["X-Forwarded-For", "192.0.2.7"],
      ["X-Real-IP", "192.0.2.7"],
      ["X-Forwarded-Proto", "http"],
      ["X-Forwarded-Host", "api.example.com:9080"],
      ["X-Forwarded-Port", "9080"],
    ]);
  });

  test("appends the peer to the chain, over several lines, as the last element", () => {
    const headers = HeaderList.from([
      ["x-forwarded-for", "203.0.113.1, 203.0.113.2"],
      ["A", "1"],
      ["X-Forwarded-For", ""],
      ["X-Forwarded-For", "203.0.113.3"],
    ]);
    setForwarded(headers, ARRIVAL);
    expect(headers.getAll("x-forwarded-for")).toEqual([
      "203.0.113.1, 203.0.113.2, 203.0.113.3, 192.0.2.7",
    ]);
  });

  test("shows an IPv4 peer of a dual-stack socket as IPv4", () => {
    const headers = new HeaderList();
    setForwarded(headers, { ...ARRIVAL, remoteAddress: "::ffff:192.0.2.7" });
    expect(headers.get("x-real-ip")).toBe("192.0.2.7");
  });

  test("shows an IPv6 peer without brackets", () => {
    const headers = new HeaderList();
    setForwarded(headers, { ...ARRIVAL, remoteAddress: "2001:db8::1" });
    expect(headers.get("x-forwarded-for")).toBe("2001:db8::1");
  });
});

describe("setForwarded() of requests that repeat", () => {
  // Alike at the end, which is where two of them are most unlike: they share what is remembered.
  test.each<[string, Partial<Arrival>]>([
    ["another client", { remoteAddress: "198.0.2.7" }],
    ["another name", { authority: "abi.example.com:9080" }],
    ["another scheme", { scheme: "https" }],
    ["another port", { localPort: 9443 }],
  ])("tells %s apart, whoever came before", (_what, change) => {
    const other = { ...ARRIVAL, ...change };
    for (const arrival of [ARRIVAL, ARRIVAL, other, other, ARRIVAL, other]) {
      const headers = new HeaderList();
      setForwarded(headers, arrival);
      expect([...headers].map(([, value]) => value)).toEqual([
        arrival.remoteAddress,
        arrival.remoteAddress,
        arrival.scheme,
        arrival.authority,
        String(arrival.localPort),
      ]);
    }
  });
});

describe("setForwarded() errors", () => {
  test("believes nothing that a client says about itself", () => {
    const headers = HeaderList.from([
      ["X-Real-IP", "127.0.0.1"],
      ["X-Real-IP", "127.0.0.2"],
      ["X-Forwarded-Proto", "https"],
      ["X-Forwarded-Host", "admin.example"],
      ["X-Forwarded-Port", "443"],
      ["Forwarded", "for=127.0.0.1;proto=https"],
      ["X_Real_IP", "127.0.0.1"],
      ["X-Forwarded_For", "127.0.0.1"],
      ["x_forwarded_for", "127.0.0.1"],
      ["X_Other", "kept"],
    ]);
    setForwarded(headers, ARRIVAL);
    expect([...headers]).toEqual([
      ["X_Other", "kept"],
      ["X-Forwarded-For", "192.0.2.7"],
      ["X-Real-IP", "192.0.2.7"],
      ["X-Forwarded-Proto", "http"],
      ["X-Forwarded-Host", "api.example.com:9080"],
      ["X-Forwarded-Port", "9080"],
    ]);
  });

  test("claims no address for a peer that has none", () => {
    const headers = HeaderList.from([
      ["X-Real-IP", "127.0.0.1"],
      ["X-Forwarded-For", "203.0.113.1"],
    ]);
    setForwarded(headers, { ...ARRIVAL, remoteAddress: "" });
    expect(headers.has("x-real-ip")).toBe(false);
    expect(headers.get("x-forwarded-for")).toBe("203.0.113.1");
  });
});
