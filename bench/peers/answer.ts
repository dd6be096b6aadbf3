import type { Setup } from "./contestant.ts";
import type { Load } from "./load.ts";
import { bodyBytes } from "./upstream.ts";

/**
 * It forwards what the load will send, and its filters work.
 * @throws Error that names the contestant and quotes its answer
 */
export async function checkAnswer(
  name: string,
  setup: Setup,
  { path, postBytes, tls }: Load,
  port: number,
): Promise<void> {
  const origin = `${tls === true ? "https" : "http"}://127.0.0.1:${port}`;
  const trust = { tls: { rejectUnauthorized: false } };
  const post = { method: "POST", body: "x".repeat(postBytes ?? 0) };
  const asked = fetch(origin + path, postBytes === undefined ? trust : { ...trust, ...post });
  const response = await asked.catch((cause: unknown) => {
    throw new Error(`Cannot trust ${name}: it does not answer`, { cause });
  });
  const body = await response.text();
  const addsHeader = setup.filters.some((filter) => filter !== "body");
  const hasHeader = response.headers.has("x-guest");
  if (!response.ok || body.length !== bodyBytes(path) || hasHeader !== addsHeader) {
    throw new Error(`Cannot trust ${name}: it answered ${response.status} ${body.slice(0, 80)}`);
  }
  const forbidden = await (await fetch(`${origin}/forbidden`, trust)).text();
  if (forbidden.startsWith("withheld") !== setup.filters.includes("body")) {
    throw new Error(`Cannot trust ${name}: its body filter let through ${forbidden.slice(0, 80)}`);
  }
}
