import { describe, expect, test } from "bun:test";
import { Log, type LogSeverity } from "./log.ts";

function capture(options?: { level: LogSeverity; format: "text" | "json" }): {
  log: Log;
  lines: string[];
} {
  const lines: string[] = [];
  const log = new Log((line) => lines.push(line));
  if (options !== undefined) log.configure(options);
  return { log, lines };
}

describe("Log", () => {
  test("writes time, severity, message and fields on one line", () => {
    const { log, lines } = capture();
    log.warn("node is down", { node: "10.0.0.1:80", why: "no route to host", tries: 2 });
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z warn {2}node is down {2}/);
    expect(lines[0]).toEndWith('  node=10.0.0.1:80 why="no route to host" tries=2\n');
  });

  test("writes nothing below its level", () => {
    const { log, lines } = capture({ level: "warn", format: "text" });
    log.info("quiet");
    log.error("loud");
    expect(lines).toHaveLength(1);
    expect(log.enabled("info")).toBe(false);
  });

  test("writes JSON with numbers as numbers", () => {
    const { log, lines } = capture({ level: "debug", format: "json" });
    log.debug("x", { count: 3, error: new Error("boom"), gone: undefined });
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      level: "debug",
      message: "x",
      count: 3,
      error: "boom",
    });
    expect(lines[0]).not.toContain("gone");
  });
});

describe("Log with hostile values", () => {
  test("keeps one event on one line and cannot steer a terminal", () => {
    const { log, lines } = capture();
    log.error("a\nb", { path: "/\r\n2026 error forged", esc: "\u001b[2J" });
    expect(lines[0]?.slice(0, -1)).not.toMatch(/\p{Cc}/u);
    expect(lines).toHaveLength(1);
  });

  test("cuts a long field", () => {
    const { log, lines } = capture();
    log.error("long", { value: "x".repeat(100_000) });
    expect(lines[0]?.length).toBeLessThan(3000);
  });
});
