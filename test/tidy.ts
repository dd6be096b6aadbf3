/**
 * The rules of src/tidy.test.ts: layers, sizes, names, calls, dead files, pinned packages. Each is
 * a function over text that answers with lines like "path:line: what is wrong: what to do".
 */
import { basename, dirname, join } from "node:path";
import { Glob } from "bun";
import { type Ban, isProduct, isTest, SELF } from "./tidy-bans.ts";

export interface Source {
  /** Relative to the repository: "src/base/log.ts". */
  readonly path: string;
  readonly text: string;
}

/**
 * Who may import whom, directly; what those may import is allowed too. Only gateway/ and what
 * stands above it see both proxy/ and abi/: those two meet in filter/.
 */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  main: ["cli"],
  cli: ["admin", "gateway", "plugin-run"],
  admin: ["gateway"],
  "plugin-run": ["gateway"],
  gateway: ["proxy", "abi", "httpbin", "metrics", "shm"],
  proxy: ["filter", "router", "upstream", "metrics", "shm"],
  abi: ["filter", "wasm", "metrics", "shm"],
  filter: ["http"],
  router: ["config", "http"],
  upstream: ["config", "http", "metrics", "shm"],
  httpbin: ["http"],
  wasm: ["base", "metrics", "shm"],
  config: ["base"],
  http: ["base"],
  metrics: ["base"],
  shm: ["base"],
  base: [],
};

/** Packages that the executable contains, and the folders that may know them. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  yaml: ["config"],
  "@sinclair/typebox": ["config"],
  chokidar: ["config", "gateway"],
  "@bufbuild/cel": ["abi"],
  "@bufbuild/protobuf": ["abi"],
  "@bufbuild/re2": ["abi"],
};

export const LINES_MAX = 400;
export const TEST_LINES_MAX = 600;
export const COLUMNS_MAX = 100;

/** Words that say nothing about what a thing is. */
const HOLLOW_WORDS = new Set(
  "manager managers helper helpers util utils utility utilities misc common".split(" "),
);

export async function readRepository(): Promise<Source[]> {
  const root = join(import.meta.dir, "..");
  const patterns = [
    "{src,test,bench,plugins,examples,docs}/**/*.{ts,sh,md,yaml,json}",
    "*.{json,md,sh,yaml}",
    "{Dockerfile,.dockerignore,.npmrc,.ci/run,.vscode/settings.json}",
  ];
  const paths = new Set<string>();
  for (const pattern of patterns) {
    for await (const path of new Glob(pattern).scan({ cwd: root, dot: true })) paths.add(path);
  }
  return Promise.all(
    [...paths]
      .toSorted()
      .map(async (path) => ({ path, text: await Bun.file(join(root, path)).text() })),
  );
}

export function layerProblems({ path, text }: Source): string[] {
  const from = folderOf(path);
  if (from === undefined || SELF.includes(path)) return [];
  const problems: string[] = [];
  for (const { specifier, line } of importsOf(text)) {
    if (!specifier.startsWith(".")) {
      const owners = PACKAGES[specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/")];
      if (isBuiltIn(specifier) || owners?.includes(from) || isTest(path)) continue;
      const allowed =
        owners === undefined ? "no product code may" : `only ${owners.join(", ")} may`;
      problems.push(`${path}:${line}: imports the package "${specifier}": ${allowed}`);
      continue;
    }
    const to = folderOf(join(dirname(path), specifier));
    if (to === undefined || to === from || reach(LAYERS, from).has(to)) continue;
    problems.push(
      `${path}:${line}: ${from} imports ${to} ("${specifier}"): see LAYERS in tidy.test`,
    );
  }
  return problems;
}

/** "src/abi/wasi/fd.ts" is in "abi", "src/main.ts" in "main"; undefined outside src/. */
function folderOf(path: string): string | undefined {
  const [root, folder] = path.split("/");
  return root === "src" ? folder?.replace(/\.ts$/, "") : undefined;
}

function isBuiltIn(specifier: string): boolean {
  return specifier === "bun" || specifier.startsWith("bun:") || specifier.startsWith("node:");
}

function importsOf(text: string): { specifier: string; line: number }[] {
  const statement =
    /^(?:import|export)\b(?:[^"'`;=()]*?\bfrom)?\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
  return [...text.matchAll(statement)].map((match) => ({
    specifier: match[1] ?? match[2] ?? "",
    line: lineAt(text, match.index + match[0].length),
  }));
}

/** All that `start` leads to, itself included. */
function reach(edges: Readonly<Record<string, readonly string[]>>, start: string): Set<string> {
  const reached = new Set([start]);
  for (const at of reached) for (const next of edges[at] ?? []) reached.add(next);
  return reached;
}

/** Which folder of src/ imports which other ones. */
export function folderImports(files: readonly Source[]): Map<string, string[]> {
  const imports = new Map<string, string[]>();
  for (const { path, text } of files) {
    const from = folderOf(path);
    if (from === undefined) continue;
    const targets = imports.get(from) ?? [];
    imports.set(from, targets);
    for (const { specifier } of importsOf(text)) {
      const to = specifier.startsWith(".") ? folderOf(join(dirname(path), specifier)) : undefined;
      if (to !== undefined && to !== from) targets.push(to);
    }
  }
  return imports;
}

export function cycleProblems(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const problems: string[] = [];
  const done = new Set<string>();
  const visit = (folder: string, trail: readonly string[]): void => {
    const start = trail.indexOf(folder);
    if (start >= 0) {
      const cycle = [...trail.slice(start), folder].join(" → ");
      problems.push(`${cycle}: move what both need into a folder below`);
      return;
    }
    if (done.has(folder)) return;
    for (const next of new Set(imports.get(folder))) visit(next, [...trail, folder]);
    done.add(folder);
  };
  for (const folder of imports.keys()) visit(folder, []);
  return problems;
}

export function sizeProblems({ path, text }: Source): string[] {
  const lines = text.replace(/\n$/, "").split("\n");
  const max = path.endsWith(".test.ts") ? TEST_LINES_MAX : LINES_MAX;
  const problems: string[] = [];
  if (lines.length > max) {
    const size = `${lines.length} lines, at most ${max}`;
    problems.push(`${path}:${max + 1}: ${size}: split the file`);
  }
  for (const [index, line] of lines.entries()) {
    const columns = Array.from(line).length;
    if (columns <= COLUMNS_MAX) continue;
    const size = `${columns} columns, at most ${COLUMNS_MAX}`;
    problems.push(`${path}:${index + 1}: ${size}: break the line`);
  }
  return problems;
}

export function nameProblems({ path, text }: Source): string[] {
  const problems: string[] = [];
  const words = path.replace(/\.ts$/, "").split(/[/.-]/);
  const hollow = words.find((word) => HOLLOW_WORDS.has(word));
  if (hollow !== undefined) problems.push(`${path}:1: "${hollow}" in a path: say what is inside`);
  const file = basename(path);
  if (file === "index.ts")
    problems.push(`${path}:1: a barrel: let others import the file they mean`);
  if (!/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z]+)*\.ts$/.test(file)) {
    problems.push(`${path}:1: not kebab-case: rename the file`);
  }
  for (const [index, line] of blank(text).split("\n").entries()) {
    for (const [identifier] of line.matchAll(/[A-Za-z_$][\w$]*/g)) {
      if (!wordsOf(identifier).some((word) => HOLLOW_WORDS.has(word))) continue;
      problems.push(`${path}:${index + 1}: "${identifier}": say what it is or does`);
    }
  }
  return problems;
}

/** "poolSizeMax" and "POOL_SIZE_MAX" are "pool", "size", "max". */
function wordsOf(identifier: string): string[] {
  return identifier
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[_$]+/);
}

export function banProblems(ban: Ban, { path, text }: Source): string[] {
  if (ban.where !== undefined && !ban.where(path)) return [];
  const problems: string[] = [];
  for (const [index, line] of (ban.raw ? text : blank(text)).split("\n").entries()) {
    const found = ban.pattern.exec(line);
    if (found !== null) problems.push(`${path}:${index + 1}: "${found[0]}": ${ban.instead}`);
  }
  return problems;
}

/**
 * A file is alive when main.ts reaches it, or when it can be run itself (import.meta.main). What
 * only tests reach must say so in its name.
 */
export function deadFileProblems(files: readonly Source[]): string[] {
  const imports: Record<string, string[]> = {};
  for (const { path, text } of files) {
    imports[path] = importsOf(text)
      .filter(({ specifier }) => specifier.startsWith("."))
      .map(({ specifier }) => join(dirname(path), specifier));
  }
  const live = reachFrom(files, imports, ({ path, text }) => {
    return path === "src/main.ts" || blank(text).includes("import.meta.main");
  });
  const tested = reachFrom(files, imports, ({ path }) => {
    return !path.startsWith("src/") || path.endsWith(".test.ts");
  });
  return files.flatMap(({ path }) => {
    if (live.has(path) || !path.startsWith("src/") || path.endsWith(".d.ts")) return [];
    if (!tested.has(path)) return [`${path}:1: nothing imports this file: use it or delete it`];
    if (isTest(path)) return [];
    return [`${path}:1: only tests import this file: use it, delete it, or name it testing.ts`];
  });
}

function reachFrom(
  files: readonly Source[],
  imports: Readonly<Record<string, readonly string[]>>,
  isStart: (source: Source) => boolean,
): Set<string> {
  return new Set(files.filter(isStart).flatMap(({ path }) => [...reach(imports, path)]));
}

export function pinProblems(manifest: string): string[] {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(manifest) as {
    dependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
  };
  return Object.entries({ ...dependencies, ...devDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
    .map(([name, version]) => {
      const line = lineAt(manifest, manifest.indexOf(`"${name}"`));
      return `package.json:${line}: "${name}" is "${version}": pin one exact version`;
    });
}

/** LIMITS and its parts. */
const LIMIT_FILE = /^src\/base\/(?:\w+-)?limits\.ts$/;

export function limitProblems(files: readonly Source[]): string[] {
  const used = new Set<string>();
  for (const { path, text } of files) {
    if (!isProduct(path) || LIMIT_FILE.test(path)) continue;
    for (const [, name = ""] of blank(text).matchAll(/\bLIMITS\.(\w+)/g)) used.add(name);
  }
  return files
    .filter(({ path }) => LIMIT_FILE.test(path))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/^ {2}(\w+):/gm)]
        .filter(([, name = ""]) => !used.has(name))
        .map(({ 1: name, index }) => {
          const where = `${path}:${lineAt(text, index)}`;
          return `${where}: nothing enforces LIMITS.${name}: enforce it or delete it`;
        }),
    );
}

/**
 * What a document promises, a test has to show: the tests that it names exist, and each row of a
 * table with the column "shown by" names one, or the folder of hostile modules.
 */
export function promiseProblems({ path, text }: Source, paths: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  let isPromise = false;
  for (const [index, line] of text.split("\n").entries()) {
    const where = `${path}:${index + 1}`;
    const isRow = line.startsWith("|");
    const isRule = line.startsWith("|-");
    const isHead = isRow && line.includes("| shown by |");
    if (!isRow || isHead) isPromise = isHead;
    for (const [, test = ""] of line.matchAll(/`([\w./-]+\.test\.ts)`/g)) {
      if (!paths.has(test)) problems.push(`${where}: ${test} does not exist: name another test`);
    }
    if (!isPromise || isHead || isRule) continue;
    const shownBy = line.split("|").at(-2) ?? "";
    if (/`[\w./-]+\.test\.ts`|`test\/hostile`/.test(shownBy)) continue;
    problems.push(`${where}: no test shows this: write one and name it`);
  }
  return problems;
}

const NOT_CODE = new RegExp(
  [
    /\/\/.*|\/\*[^]*?\*\//, // comments
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[^]|[^`\\])*`/, // strings
    /(?<=(?:[=(,:;!&|?{}[]|=>|return)\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "g",
);

/**
 * Code without its comments, strings and regular expressions; lines stay where they are. A slash
 * starts an expression only where an operand is expected, which is enough for formatted code.
 */
export function blank(text: string): string {
  return text.replaceAll(NOT_CODE, (found) => {
    const breaks = "\n".repeat(found.split("\n").length - 1);
    return found.startsWith("//") || found.startsWith("/*") ? breaks : `""${breaks}`;
  });
}

/** 1-based. */
function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
