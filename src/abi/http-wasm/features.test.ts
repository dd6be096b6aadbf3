import { describe, expect, test } from "bun:test";
import { HeaderList } from "../../http/headers.ts";
import { NEEDS_ALL, ScriptedHttpGuest } from "./testing.ts";

describe("enable_features()", () => {
  test("enables for all exchanges while the guest is being started", () => {
    const scripted = new ScriptedHttpGuest();
    expect(scripted.http.enable_features(2)).toBe(2);
    expect(scripted.http.enable_features(4)).toBe(6);
    expect(scripted.guest.state).toBe(6);
    expect(scripted.exchange().features).toBe(6);
  });

  test("enables in handle_request for this exchange only", () => {
    const scripted = new ScriptedHttpGuest();
    scripted.http.enable_features(1);
    const exchange = scripted.exchange(undefined, NEEDS_ALL);
    scripted.request(exchange, (http) => expect(http.enable_features(2)).toBe(3));
    expect(exchange.features).toBe(3);
    expect(scripted.exchange().features).toBe(1);
  });

  test("leaves bits clear that mean nothing", () => {
    const { http } = new ScriptedHttpGuest();
    expect(http.enable_features(-1)).toBe(7);
  });

  test("leaves trailers clear when the messages are not waited for", () => {
    const scripted = new ScriptedHttpGuest();
    scripted.request(scripted.exchange(), (http) => expect(http.enable_features(7)).toBe(3));
    const exchange = scripted.exchange(undefined, NEEDS_ALL);
    scripted.request(exchange, (http) => expect(http.enable_features(7)).toBe(7));
  });

  test("comes too late in handle_response", () => {
    const scripted = new ScriptedHttpGuest();
    const exchange = scripted.exchange(undefined, NEEDS_ALL);
    scripted.request(exchange, () => {});
    answer(exchange);
    scripted.response(exchange, (http) => expect(http.enable_features(7)).toBe(0));
    expect(scripted.responses).toHaveLength(1);
  });

  test("is forgotten by a guest that is put back to an image without it", () => {
    const { guest, http } = new ScriptedHttpGuest();
    const { state } = guest;
    http.enable_features(7);
    guest.adopt(state);
    expect(guest.features).toBe(0);
  });
});

function answer(exchange: ReturnType<ScriptedHttpGuest["exchange"]>): void {
  Object.assign(exchange.host, { response: { status: 200, headers: new HeaderList() } });
}
