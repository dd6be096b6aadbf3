import { describe, expect, test } from "bun:test";
import type { Diagnostic } from "./diagnostic.ts";
import { diagnosticsAsJson, renderDiagnostics } from "./render.ts";
import { SourceText } from "./tree.ts";

/** A diagnostic about the first occurrence of `mark` in `text`. */
function about(text: string, mark: string, changes: Partial<Diagnostic> = {}): Diagnostic {
  const start = text.indexOf(mark);
  const position = new SourceText("f.yaml", text).position({ start, end: start + mark.length });
  const base = { severity: "error", code: "CODE", message: "it is wrong", file: "f.yaml" } as const;
  return { ...base, position, hint: undefined, ...changes };
}

function render(text: string, mark: string, changes: Partial<Diagnostic> = {}): string[] {
  return renderDiagnostics([about(text, mark, changes)], text).split("\n");
}

describe("renderDiagnostics()", () => {
  test("shows place, line, caret, hint and code", () => {
    expect(render("a: 1\nchekcs:\n", "chekcs", { hint: 'did you mean "checks"?' })).toEqual([
      "f.yaml:2:1: error: it is wrong [CODE]",
      "  2 │ chekcs:",
      '    │ ^^^^^^  did you mean "checks"?',
      "",
    ]);
  });

  test.each([
    { name: "tabs", line: "\ta:\tb", mark: "b", shown: "  a:  b", caret: "      ^" },
    { name: "wide characters", line: "值值: b", mark: "b", shown: "值值: b", caret: "      ^" },
    { name: "a wide mark", line: "a: 值值", mark: "值值", shown: "a: 值值", caret: "   ^^^^" },
    { name: "emoji", line: "😀: b", mark: "b", shown: "😀: b", caret: "    ^" },
    { name: "combining marks", line: "e\u0301: b", mark: "b", shown: "e\u0301: b", caret: "   ^" },
    { name: "CRLF", line: "a: b\r", mark: "b", shown: "a: b", caret: "   ^" },
  ])("places the caret under the mark in spite of $name", ({ line, mark, shown, caret }) => {
    const [, source, underline] = render(`${line}\nmore\n`, mark);
    expect([source, underline]).toEqual([`  1 │ ${shown}`, `    │ ${caret}`]);
  });

  test("cuts a long line around the mark", () => {
    const line = `${"x".repeat(1_000_000)}MARK${"y".repeat(1_000_000)}`;
    const [, source = "", underline = ""] = render(line, "MARK");
    expect(source.length).toBeLessThan(150);
    expect(underline.indexOf("^^^^")).toBe(source.indexOf("MARK"));
  });

  test("cuts a long mark, and never into half a character", () => {
    const mark = "😀".repeat(1000);
    const [, source = "", underline = ""] = render(`a: ${mark}`, mark);
    expect(source.isWellFormed()).toBe(true);
    expect(Bun.stringWidth(underline)).toBeLessThan(150);
  });

  test("disarms what a terminal would obey", () => {
    const text = 'a: "\u001b[2J\u202eevil\u0007"\n';
    const out = renderDiagnostics(
      [about(text, "evil", { message: "found \u001b[31m\n2", file: "f\u001b.yaml" })],
      text,
    );
    for (const character of ["\u001b", "\u0007", "\u202e"]) expect(out).not.toContain(character);
    expect(out.split("\n")).toHaveLength(4);
  });

  test("shows a diagnostic of the whole file without a line", () => {
    const text = renderDiagnostics([about("", "", { position: undefined, hint: "look" })], "");
    expect(text).toBe("f.yaml: error: it is wrong [CODE]\n    look\n");
  });

  test("leaves out a line that the text does not have", () => {
    const position = { line: 99, column: 1, length: 1 };
    expect(renderDiagnostics([about("", "", { position })], "a: 1\n")).toBe(
      "f.yaml:99:1: error: it is wrong [CODE]\n",
    );
  });

  test("widens the gutter for large line numbers", () => {
    const text = `${"\n".repeat(12_345)}a: 1`;
    expect(render(text, "a").slice(1, 3)).toEqual(["12346 │ a: 1", "      │ ^"]);
  });

  test("colours only when it is told to", () => {
    const text = "a: 1\n";
    const diagnostics = [about(text, "a"), about(text, "1", { severity: "warning" })];
    const plain = renderDiagnostics(diagnostics, text, { color: false });
    const colored = renderDiagnostics(diagnostics, text, { color: true });
    expect(plain).not.toContain("\u001b");
    expect(colored).toContain("\u001b[1;31merror:");
    expect(colored).toContain("\u001b[1;33mwarning:");
    expect(Bun.stripANSI(colored)).toBe(plain);
  });

  test("is empty without diagnostics", () => {
    expect(renderDiagnostics([], "a: 1\n")).toBe("");
  });
});

describe("diagnosticsAsJson()", () => {
  test("has every field, and says whether the file is valid", () => {
    const text = "a: 1\n";
    const warning = about(text, "1", { severity: "warning" });
    expect(JSON.parse(diagnosticsAsJson([warning]))).toEqual({
      valid: true,
      diagnostics: [
        {
          severity: "warning",
          code: "CODE",
          message: "it is wrong",
          file: "f.yaml",
          line: 1,
          column: 4,
          length: 1,
          hint: null,
        },
      ],
    });
    const whole = about(text, "a", { position: undefined });
    expect(JSON.parse(diagnosticsAsJson([warning, whole]))).toMatchObject({
      valid: false,
      diagnostics: [{}, { line: null, column: null, length: null }],
    });
    expect(JSON.parse(diagnosticsAsJson([]))).toEqual({ valid: true, diagnostics: [] });
  });
});
