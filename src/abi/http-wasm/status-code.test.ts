import { describe, expect, test } from "bun:test";
import { HeaderList } from "../../http/headers.ts";
import { FakeFilterHost } from "../proxy-wasm/testing.ts";
import { ScriptedHttpGuest } from "./testing.ts";
import { Feature } from "./types.ts";

describe("get_status_code()", () => {
  test("is 200 before there is a response, or what the guest has set", () => {
    const { scripted, exchange } = started();
    scripted.request(exchange, (http) => {
      expect(http.get_status_code()).toBe(200);
      http.set_status_code(404);
      expect(http.get_status_code()).toBe(404);
    });
  });

  test("is the response's own in handle_response", () => {
    const { scripted, exchange } = started(503);
    scripted.response(exchange, (http) => expect(http.get_status_code()).toBe(503));
    expect(scripted.responses).toHaveLength(1);
  });

  test("traps while the guest is being started", () => {
    const { http } = started().scripted;
    expect(() => http.get_status_code()).toThrow("outside of a request");
    expect(() => http.set_status_code(200)).toThrow("outside of a request");
  });
});

describe("set_status_code()", () => {
  test("in handle_request is the status of the response to come", () => {
    const { scripted, host, exchange } = started(200);
    scripted.request(exchange, (http) => http.set_status_code(418));
    scripted.response(exchange, () => {});
    expect(host.response?.status).toBe(418);
  });

  test("in handle_response changes it, with buffer_response", () => {
    const { scripted, host, exchange } = started(200, Feature.BufferResponse);
    scripted.response(exchange, (http) => http.set_status_code(599));
    expect(host.response?.status).toBe(599);
  });

  test("traps in handle_response without buffer_response", () => {
    const { scripted, exchange } = started(200);
    expect(() => scripted.response(exchange, (http) => http.set_status_code(500))).toThrow(
      "Cannot change the status in handle_response without the feature buffer_response",
    );
  });

  test.each([0, 199, 101, 600, -1, 0x7fff_ffff])("traps on %d", (status) => {
    const { scripted, exchange } = started();
    expect(() => scripted.request(exchange, (http) => http.set_status_code(status))).toThrow(
      `Cannot set the status to ${status}: it is 200 to 599`,
    );
  });
});

function started(status?: number, features = 0) {
  const scripted = new ScriptedHttpGuest();
  const host = new FakeFilterHost();
  if (status !== undefined) host.response = { status, headers: new HeaderList() };
  scripted.http.enable_features(features);
  return { scripted, host, exchange: scripted.exchange(host) };
}
