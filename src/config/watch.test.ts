import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type ConfigWatch, type WatchedInputs, watchConfig } from "./watch.ts";

let folder = "";
let file = "";
let plugins = "";
const watches: ConfigWatch[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-watch-"));
  file = join(folder, "gateway.yaml");
  plugins = join(folder, "plugins");
  mkdirSync(plugins);
  writeFileSync(file, "routes: []\n");
});

afterEach(async () => {
  await Promise.all(watches.splice(0).map((watch) => watch.close()));
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a watch; the answer holds what it has reported so far. */
function start(options: { debounceMs?: number; pollMs?: number } & Partial<WatchedInputs> = {}): {
  reports: string[][];
  watch: ConfigWatch;
} {
  const reports: string[][] = [];
  const watch = watchConfig({
    file,
    directories: [plugins],
    debounceMs: 20,
    pollMs: 100,
    ...options,
    onChange: (changed) => reports.push(changed.map((path) => basename(path))),
  });
  watches.push(watch);
  void watch.begin();
  return { reports, watch };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`Waited in vain: ${what}`);
    await Bun.sleep(2);
  }
}

async function reported(reports: string[][], name: string): Promise<void> {
  await until(() => reports.flat().includes(name), `${name} in ${JSON.stringify(reports)}`);
  reports.length = 0;
}

/** Changes a module again and again until it is reported: the first may come before the watch. */
async function awake(reports: string[][], quietMs = 60): Promise<void> {
  const deadlineMs = performance.now() + 5000;
  for (let round = 0; reports.length === 0; round++) {
    if (performance.now() > deadlineMs) throw new Error("The watch never came up");
    writeFileSync(join(plugins, "marker.wasm"), String(round));
    await Bun.sleep(quietMs); // Longer than the debounce: steady writing would never be reported.
  }
  // What the last round has written is one more report, or none; the next one ends both.
  writeFileSync(join(plugins, "awake.wasm"), "");
  await reported(reports, "awake.wasm");
}

/** A version of a Kubernetes ConfigMap, swapped in as the kubelet does. */
function mountVersion(name: string): void {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, "gateway.yaml"), `routes: [] # ${name}\n`);
  symlinkSync(name, join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
}

describe.each([
  { how: "by notifications alone", pollMs: 0 },
  { how: "with the poll beside them", pollMs: 50 },
])("watchConfig() $how", ({ pollMs }) => {
  async function ready(): Promise<string[][]> {
    const { reports } = start({ pollMs });
    await awake(reports);
    return reports;
  }

  test("reports edits in place, one after the other", async () => {
    const reports = await ready();
    for (let round = 0; round < 3; round++) {
      writeFileSync(file, `routes: [] # edit ${round}\n`);
      await reported(reports, "gateway.yaml");
    }
    appendFileSync(file, "# appended\n");
    await reported(reports, "gateway.yaml");
  });

  test("reports saves by rename, one after the other", async () => {
    const reports = await ready();
    for (let round = 0; round < 3; round++) {
      writeFileSync(join(folder, ".gateway.yaml.swp"), `routes: [] # save ${round}\n`);
      renameSync(join(folder, ".gateway.yaml.swp"), file);
      await reported(reports, "gateway.yaml");
    }
  });

  test("reports a file that is deleted and created again", async () => {
    const reports = await ready();
    rmSync(file);
    await reported(reports, "gateway.yaml");
    writeFileSync(file, "routes: [] # again\n");
    await reported(reports, "gateway.yaml");
  });

  test("reports modules that come, change and go", async () => {
    const reports = await ready();
    const module = join(plugins, "waf.wasm");
    writeFileSync(module, "one");
    await reported(reports, "waf.wasm");
    writeFileSync(module, "two");
    await reported(reports, "waf.wasm");
    renameSync(module, join(plugins, "other.wasm"));
    await reported(reports, "other.wasm");
    rmSync(join(plugins, "other.wasm"));
    await reported(reports, "other.wasm");
  });

  test("reports the link swap of a Kubernetes ConfigMap", async () => {
    rmSync(file);
    mountVersion("..2026_01");
    symlinkSync("..data/gateway.yaml", file);
    const reports = await ready();
    for (const name of ["..2026_02", "..2026_03", "..2026_04"]) {
      mountVersion(name);
      await reported(reports, "gateway.yaml");
    }
  });
});

describe("watchConfig()", () => {
  test("reports at its begin what has changed before", async () => {
    const reports: string[][] = [];
    const watch = watchConfig({
      file,
      directories: [plugins],
      debounceMs: 20,
      pollMs: 0,
      onChange: (changed) => reports.push(changed.map((path) => basename(path))),
    });
    watches.push(watch);
    writeFileSync(file, "routes: [ ]\n");
    await Bun.sleep(60); // As long as it takes to report it, once it has begun.
    expect(reports).toEqual([]);
    await watch.begin();
    await reported(reports, "gateway.yaml");
  });

  test("says nothing of a file that was touched, or written again as it was", async () => {
    const { reports } = start();
    writeFileSync(join(plugins, "a.wasm"), "a");
    await reported(reports, "a.wasm");
    const now = new Date();
    utimesSync(join(plugins, "a.wasm"), now, now);
    writeFileSync(file, "routes: []\n");
    writeFileSync(join(plugins, "b.wasm"), "b");
    await until(() => reports.length > 0, "b.wasm");
    expect(reports).toEqual([["b.wasm"]]);
  });

  test("reports many writes in a row once, and with the last content", async () => {
    const { reports } = start({ debounceMs: 200, pollMs: 0 });
    await awake(reports, 250);
    for (let part = 0; part < 20; part++) appendFileSync(file, `# part ${part}\n`);
    await reported(reports, "gateway.yaml");
    writeFileSync(join(plugins, "last.wasm"), "1");
    await until(() => reports.length > 0, "last.wasm");
    expect(reports).toEqual([["last.wasm"]]);
  });

  test("ignores hidden modules and other files", async () => {
    const { reports } = start();
    writeFileSync(join(plugins, ".draft.wasm"), "a");
    writeFileSync(join(plugins, "readme.md"), "a");
    writeFileSync(join(folder, "other.yaml"), "a");
    writeFileSync(join(plugins, "real.wasm"), "a");
    await until(() => reports.length > 0, "real.wasm");
    expect(reports).toEqual([["real.wasm"]]);
  });

  test("notices a folder that comes later", async () => {
    const late = join(folder, "late");
    const { reports } = start({ directories: [late] });
    mkdirSync(late);
    writeFileSync(join(late, "new.wasm"), "a");
    await reported(reports, "new.wasm");
  });

  test("watches a file of another suffix when it is named", async () => {
    const module = join(folder, "opt", "filter.bin");
    mkdirSync(join(folder, "opt"));
    writeFileSync(module, "one");
    const { reports } = start({ files: [module] });
    writeFileSync(module, "another");
    await reported(reports, "filter.bin");
  });

  test("notices by the poll what no notification tells", async () => {
    const elsewhere = join(folder, "elsewhere");
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, "target"), "one");
    symlinkSync(join(elsewhere, "target"), join(plugins, "linked.wasm"));
    const { reports } = start();
    await awake(reports);
    writeFileSync(join(elsewhere, "target"), "another");
    await reported(reports, "linked.wasm");
  });

  test("notices a change that came right after the start", async () => {
    for (let round = 0; round < 5; round++) {
      const { reports } = start({ pollMs: 50 });
      writeFileSync(file, `routes: [] # at once ${round}\n`);
      await reported(reports, "gateway.yaml");
    }
  });
});

describe("ConfigWatch.update()", () => {
  test("takes new folders in without a report, and lets old ones go", async () => {
    const other = join(folder, "other");
    mkdirSync(other);
    writeFileSync(join(other, "there.wasm"), "a");
    const { reports, watch } = start();
    watch.update({ file, directories: [other] });
    writeFileSync(join(plugins, "old.wasm"), "a");
    writeFileSync(join(other, "new.wasm"), "a");
    await until(() => reports.length > 0, "new.wasm");
    expect(reports).toEqual([["new.wasm"]]);
  });
});

describe("ConfigWatch.close()", () => {
  test("ends the reports, twice is no error, and update() does nothing any more", async () => {
    const { reports, watch } = start();
    await watch.close();
    await watch.close();
    watch.update({ file, directories: [plugins] });
    const second = start();
    writeFileSync(file, "routes: [] # after\n");
    await reported(second.reports, "gateway.yaml");
    expect(reports).toEqual([]);
  });
});

describe("watchConfig() errors", () => {
  test("survives inputs that do not exist, and sees them come", async () => {
    rmSync(file);
    const { reports } = start({ directories: [join(folder, "no", "where")] });
    writeFileSync(file, "routes: []\n");
    await reported(reports, "gateway.yaml");
  });

  test("survives that its whole folder goes away and comes back", async () => {
    const { reports } = start();
    rmSync(folder, { recursive: true });
    await reported(reports, "gateway.yaml");
    mkdirSync(plugins, { recursive: true });
    writeFileSync(file, "routes: [] # back\n");
    await reported(reports, "gateway.yaml");
  });
});
