import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { HTTP_GUEST_SIGNATURES, HTTP_HANDLER_SIGNATURES } from "./http-wasm/signatures.ts";
import {
  ALLOCATOR_NAMES,
  CALLBACK_NAMES,
  START_NAMES,
  UNCALLED_CALLBACK_NAMES,
} from "./proxy-wasm/exports.ts";
import { FOREIGN_FUNCTIONS } from "./proxy-wasm/foreign.ts";
import { OWN_PROPERTIES } from "./proxy-wasm/properties.ts";
import { HOST_FUNCTION_SIGNATURES } from "./proxy-wasm/signatures.ts";
import { WASI_SIGNATURES } from "./wasi/signatures.ts";

const document = await Bun.file(join(import.meta.dir, "../../docs/ABI.md")).text();

describe("docs/ABI.md", () => {
  test.each([
    { section: "Host functions", names: Object.keys(HOST_FUNCTION_SIGNATURES) },
    {
      section: "Guest functions",
      names: [...ALLOCATOR_NAMES, ...START_NAMES, ...CALLBACK_NAMES, ...UNCALLED_CALLBACK_NAMES],
    },
    { section: "Foreign functions", names: [...FOREIGN_FUNCTIONS.keys()] },
    { section: "WASI functions", names: Object.keys(WASI_SIGNATURES) },
    { section: "http-wasm host functions", names: Object.keys(HTTP_HANDLER_SIGNATURES) },
    { section: "http-wasm guest functions", names: Object.keys(HTTP_GUEST_SIGNATURES) },
  ])("has one row in $section for each function, and no others", ({ section, names }) => {
    const expected: readonly string[] = names;
    expect(
      rowsOf(section)
        .map((row) => row.name)
        .toSorted(),
    ).toEqual(expected.toSorted());
  });

  test("has one row for each property that is known without an exchange, and no others", () => {
    const text = document.split("### Without an exchange\n")[1]?.split("\n#")[0] ?? "";
    const paths = Array.from(text.matchAll(/^\| `([^`]+)` \|/gm), ([, path = ""]) => path);
    expect(paths.toSorted()).toEqual([...OWN_PROPERTIES.keys()].toSorted());
  });

  test("names a status that it explains, and a test that names the function", async () => {
    const rows = [
      "Host functions",
      "Foreign functions",
      "Guest functions",
      "WASI functions",
      "http-wasm host functions",
      "http-wasm guest functions",
    ].flatMap(rowsOf);
    const wrong: string[] = [];
    for (const { name, status, file } of rows) {
      if (!["full", "local", "inert"].includes(status)) wrong.push(`${name}: status ${status}`);
      const text = await testText(file);
      if (text === undefined) wrong.push(`${name}: no test ${file}`);
      else if (status !== "inert" && !text.includes(name)) wrong.push(`${name}: not in ${file}`);
    }
    expect(wrong).toEqual([]);
  });
});

function rowsOf(section: string): { name: string; status: string; file: string }[] {
  const text = document.split(`## ${section}\n`)[1]?.split("\n## ")[0] ?? "";
  return text
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| (?:function|name) /.test(line))
    .map((line) => {
      const [, name = "", status = "", file = ""] = line.split("|").map((cell) => cell.trim());
      return { name: name.replaceAll("`", ""), status, file };
    });
}

async function testText(file: string): Promise<string | undefined> {
  for (const folder of ["proxy-wasm", "wasi", ".", "../../test"]) {
    const found = Bun.file(join(import.meta.dir, folder, file));
    if (await found.exists()) return found.text();
  }
  return undefined;
}
