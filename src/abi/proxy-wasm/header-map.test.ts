import { expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { headerName } from "../../http/header-name.ts";
import { HeaderList } from "../../http/headers.ts";
import { HeaderMap } from "./header-map.ts";
import { NO_PSEUDO_HEADERS } from "./pseudo-headers.ts";

/** Lists of the same lines, to which "x-a: 1" was the last that was added: it is known there. */
function known(count: number): HeaderList {
  const first = new HeaderList();
  const name = headerName("x-b");
  for (let n = 0; n < count; n++) first.appendChecked(name, String(n));
  for (let n = 0; n < 2; n++) first.clone().appendChecked(headerName("x-a"), "1");
  return first.clone();
}

test("add() of a line that is known there is the same as of any other", () => {
  const list = known(3);
  const map = new HeaderMap(list, NO_PSEUDO_HEADERS);
  expect(map.add("x-a", "1")).toBe("done");
  expect([...list].at(-1)).toEqual(["x-a", "1"]);
  expect(new HeaderMap(known(3), NO_PSEUDO_HEADERS).add("x-a", "1\n")).toBe("refused");
});

test("add() is bounded also for a line that is known there", () => {
  const map = new HeaderMap(known(LIMITS.pairsCountMax), NO_PSEUDO_HEADERS);
  expect(map.add("x-a", "1")).toBe("full");
  expect(map.count).toBe(LIMITS.pairsCountMax);
});
