import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { BAD, FakeFilterHost, OUT, ScriptedGuest } from "./testing.ts";
import { BufferType, Status } from "./types.ts";

const { HttpRequestBody, HttpResponseBody, VmConfiguration, PluginConfiguration } = BufferType;

describe("proxy_get_buffer_bytes()", () => {
  test.each([
    { name: "everything", start: 0, max: 0xffff_ffff, bytes: "0123456789" },
    { name: "everything, as Go asks for it", start: 0, max: 0x7fff_ffff, bytes: "0123456789" },
    { name: "a part", start: 2, max: 3, bytes: "234" },
    { name: "what is left", start: 8, max: 5, bytes: "89" },
    { name: "the rest, by a sum beyond 32 bits", start: 7, max: 0xffff_ffff, bytes: "789" },
    { name: "nothing at the end", start: 10, max: 5, bytes: "" },
    { name: "nothing behind the end", start: 99, max: 5, bytes: "" },
    { name: "nothing of length 0", start: 0, max: 0, bytes: "" },
  ])("hands over $name", ({ start, max, bytes }) => {
    const { kit, get } = open("0123456789");
    expect(get(HttpRequestBody, start, max)).toBe(Status.Ok);
    expect(kit.taken().toString()).toBe(bytes);
    expect(kit.allocated).toEqual(bytes === "" ? [] : [bytes.length]);
  });

  test("reads both configurations at any time", () => {
    const { kit, get } = open();
    kit.host.configuration = Buffer.from("plugin");
    kit.host.vmConfiguration = Buffer.from("vm");
    get(PluginConfiguration, 1, 3);
    expect(kit.taken().toString()).toBe("lug");
    get(VmConfiguration, 0, 100);
    expect(kit.taken().toString()).toBe("vm");
  });

  test("hands over an empty configuration as address 0 and length 0", () => {
    const { kit, get } = open();
    expect(get(PluginConfiguration, 0, 100)).toBe(Status.Ok);
    expect(kit.taken().byteLength).toBe(0);
    expect(kit.allocated).toEqual([]);
  });

  test.each([0, 1, 2, 3, 4, 5, 8])("answers NotFound for buffer %p that is not there", (type) => {
    expect(open().get(type, 0, 10)).toBe(Status.NotFound);
  });

  test("answers BadArgument for buffers that do not exist", () => {
    expect(open().get(9, 0, 10)).toBe(Status.BadArgument);
    expect(open().get(-1, 0, 10)).toBe(Status.BadArgument);
  });
});

describe("proxy_set_buffer_bytes()", () => {
  test.each([
    { name: "prepends", start: 0, length: 0, result: "NEW0123456789" },
    { name: "replaces everything", start: 0, length: 10, result: "NEW" },
    { name: "replaces everything by a longer length", start: 0, length: -1, result: "NEW" },
    { name: "appends at the end", start: 10, length: 0, result: "0123456789NEW" },
    { name: "appends behind the end", start: 0x7fff_ffff, length: 5, result: "0123456789NEW" },
    { name: "replaces a part", start: 2, length: 3, result: "01NEW56789" },
    { name: "inserts", start: 5, length: 0, result: "01234NEW56789" },
  ])("$name", ({ start, length, result }) => {
    const { set, text } = open("0123456789");
    expect(set(HttpRequestBody, start, length, "NEW")).toBe(Status.Ok);
    expect(text("request")).toBe(result);
  });

  test("drops bytes by replacing them with none", () => {
    const { set, text } = open("0123456789");
    set(HttpRequestBody, 0, 5, "");
    expect(text("request")).toBe("56789");
  });

  test("copies: what the guest does to its memory later changes nothing", () => {
    const { kit, set, text } = open("x");
    set(HttpRequestBody, 0, 1, "NEW");
    new Uint8Array(kit.memory.buffer).fill(0x21);
    expect(text("request")).toBe("NEW");
  });

  test("is Ok and warns once when that body is not held now", () => {
    const { kit, set } = open();
    expect(set(HttpResponseBody, 0, 0, "x")).toBe(Status.Ok);
    expect(set(HttpResponseBody, 0, 0, "x")).toBe(Status.Ok);
    expect(kit.host.logged).toEqual([expect.stringContaining("no effect")]);
  });
});

describe("proxy_set_buffer_bytes() errors", () => {
  test.each([2, 3, 4, 5, 6, 7, 8, 9, -1])("refuses to change buffer %p", (type) => {
    expect(open().set(type, 0, 0, "x")).toBe(Status.BadArgument);
  });

  test("refuses bytes outside the memory", () => {
    const { kit, stream, text } = open("0123");
    kit.within(stream, (env) => {
      const { InvalidMemoryAccess } = Status;
      expect(env.proxy_set_buffer_bytes(0, 0, 4, BAD, 100)).toBe(InvalidMemoryAccess);
      expect(env.proxy_set_buffer_bytes(0, 0, 4, 0, -1)).toBe(InvalidMemoryAccess);
    });
    expect(text("request")).toBe("0123");
  });

  test("does not let a guest fill the host's memory by appending", () => {
    const { kit, stream, host } = open("");
    kit.within(stream, (env) => {
      const half = 512 * 1024;
      let status: number = Status.Ok;
      let calls = 0;
      while (status === Status.Ok && calls++ < 100) {
        status = env.proxy_set_buffer_bytes(0, 0, 0, 0, half);
      }
      expect(status).toBe(Status.BadArgument);
    });
    expect(host.bodies.request?.length).toBeLessThanOrEqual(LIMITS.guestBytesMax);
  });
});

describe("proxy_get_buffer_status()", () => {
  test("writes the length and no flags", () => {
    const { kit, stream } = open("0123456789");
    kit.within(stream, (env) => {
      expect(env.proxy_get_buffer_status(HttpRequestBody, OUT, OUT + 4)).toBe(Status.Ok);
    });
    expect([kit.u32(OUT), kit.u32(OUT + 4)]).toEqual([10, 0]);
  });

  test("checks type, presence and addresses", () => {
    const { kit, stream } = open("x");
    kit.within(stream, (env) => {
      expect(env.proxy_get_buffer_status(HttpResponseBody, OUT, OUT)).toBe(Status.NotFound);
      expect(env.proxy_get_buffer_status(9, OUT, OUT)).toBe(Status.BadArgument);
      expect(env.proxy_get_buffer_status(0, BAD, OUT)).toBe(Status.InvalidMemoryAccess);
      expect(env.proxy_get_buffer_status(0, OUT, BAD)).toBe(Status.InvalidMemoryAccess);
    });
  });
});

describe("proxy_get_configuration()", () => {
  test("is the plugin's while it configures, else the VM's", () => {
    const { kit, stream } = open();
    kit.host.configuration = Buffer.from("plugin");
    kit.host.vmConfiguration = Buffer.from("vm");
    kit.within(stream, (env) => env.proxy_get_configuration(OUT, OUT + 4));
    expect(kit.taken().toString()).toBe("vm");
    kit.guest.configuring = true;
    kit.within(stream, (env) => env.proxy_get_configuration(OUT, OUT + 4));
    expect(kit.taken().toString()).toBe("plugin");
  });
});

function open(requestBody?: string) {
  const kit = new ScriptedGuest();
  const host = new FakeFilterHost();
  if (requestBody !== undefined) host.hold("request", requestBody);
  const stream = kit.stream(host);
  return {
    kit,
    host,
    stream,
    get: (type: number, start: number, max: number) =>
      kit.within(stream, (env) => env.proxy_get_buffer_bytes(type, start, max, OUT, OUT + 4)),
    set: (type: number, start: number, length: number, bytes: string) =>
      kit.within(stream, (env) =>
        env.proxy_set_buffer_bytes(type, start, length, ...kit.put(bytes)),
      ),
    text: (direction: "request" | "response") =>
      Buffer.from(host.bodies[direction]?.read(0, 1000) ?? []).toString(),
  };
}
