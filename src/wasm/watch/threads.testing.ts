import { readdirSync, readFileSync } from "node:fs";

/** Folders below /proc of this process's second JavaScript threads: Bun calls them so. */
export function watchThreads(): string[] {
  const tasks = "/proc/self/task";
  return readdirSync(tasks)
    .map((id) => `${tasks}/${id}`)
    .filter((folder) => readFileSync(`${folder}/comm`, "latin1").trim() === "Worker");
}
