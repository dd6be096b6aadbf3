import { expect, test } from "bun:test";
import { FilterChain } from "./chain.ts";
import { FilterSlot } from "./slot.ts";
import { FakeExchange, pluginOf } from "./testing.ts";

function started(): FilterSlot {
  const plugin = pluginOf("a", {});
  const chain = new FilterChain([plugin], new FakeExchange(), 0, { interrupted() {} });
  const slot = new FilterSlot(chain, plugin);
  expect(slot.start()).toBeUndefined();
  return slot;
}

/** "waits" when the promise is not settled by what has happened until now. */
function outcome(wait: Promise<void>): Promise<string> {
  return Promise.race([wait.then(() => "over"), Bun.sleep(5).then(() => "waits")]);
}

test("end() ends every wait of a filter, also those that begin later", async () => {
  const slot = started();
  const waits = [slot.untilResumed("request"), slot.untilResumed("response")];
  expect(await Promise.all(waits.map(outcome))).toEqual(["waits", "waits"]);
  slot.end();
  expect(await Promise.all(waits.map(outcome))).toEqual(["over", "over"]);
  const later = [slot.untilResumed("request"), slot.untilResumed("request")];
  expect(await Promise.all(later.map(outcome))).toEqual(["over", "over"]);
});

test("resume() before a wait ends one, in its direction", async () => {
  const slot = started();
  slot.resume("request");
  expect(await outcome(slot.untilResumed("response"))).toBe("waits");
  expect(await outcome(slot.untilResumed("request"))).toBe("over");
  const again = slot.untilResumed("request");
  expect(await outcome(again)).toBe("waits");
  slot.end();
  await again;
});

test("a callback that comes later forgets an earlier resume()", async () => {
  const slot = started();
  slot.resume("response");
  slot.callHeaders("response", true);
  const wait = slot.untilResumed("response");
  expect(await outcome(wait)).toBe("waits");
  slot.end();
  await wait;
});
