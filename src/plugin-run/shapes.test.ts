import { describe, expect, test } from "bun:test";
import { CALLBACK_NAMES, UNCALLED_CALLBACK_NAMES } from "../abi/proxy-wasm/exports.ts";
import { HTTP_GUEST_SIGNATURES, HTTP_HANDLER_SIGNATURES } from "../abi/http-wasm/signatures.ts";
import { HOST_FUNCTION_SIGNATURES } from "../abi/proxy-wasm/signatures.ts";
import { WASI_SIGNATURES } from "../abi/wasi/signatures.ts";
import { paramsOf } from "./shape.ts";
import { callbackShape, callShape } from "./shapes.ts";

describe("callShape()", () => {
  test.each(Object.entries(HOST_FUNCTION_SIGNATURES))("reads all of env.%s", (name, types) => {
    const [params = "", results = ""] = types.split(">");
    const shape = callShape("env", name);
    expect(paramsOf(shape)).toBe(params.length);
    expect(shape.result === "void").toBe(results === "");
  });

  test.each(Object.entries(HTTP_HANDLER_SIGNATURES))(
    "reads all of http_handler.%s",
    (name, types) => {
      const [params = "", results = ""] = types.split(">");
      const shape = callShape("http_handler", name);
      expect(paramsOf(shape)).toBe(params.length);
      expect(shape.result === "void").toBe(results === "");
    },
  );

  test.each(Object.entries(WASI_SIGNATURES))("reads all or nothing of wasi's %s", (name, types) => {
    const [params = "", results = ""] = types.split(">");
    const shape = callShape("wasi_snapshot_preview1", name);
    expect([0, params.length]).toContain(paramsOf(shape));
    expect(callShape("wasi_unstable", name)).toEqual(shape);
    if (results === "") expect(shape.result).toBe("void");
  });

  test("shows nothing of a function that it does not know", () => {
    expect(callShape("env", "proxy_brew")).toEqual({ ins: [], outs: [], result: "i32" });
  });
});

describe("callbackShape()", () => {
  test.each(CALLBACK_NAMES)("knows %s", (name) => {
    expect(callbackShape(name)?.ins[0]?.name).toBe("context");
  });

  test.each(Object.entries(HTTP_GUEST_SIGNATURES))("knows %s", (name, types) => {
    const [params = ""] = types.split(">");
    expect(callbackShape(name)?.ins).toHaveLength(params.length);
  });

  test("lets alone what the host does not enter a guest by", () => {
    expect(callbackShape("malloc")).toBeUndefined();
    expect(callbackShape(UNCALLED_CALLBACK_NAMES[0])).toBeUndefined();
  });
});
