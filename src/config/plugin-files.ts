import { accessSync, constants, readdirSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { messageOf } from "../base/errors.ts";

/** What the loader wants to know about files; on disk, or made up in a test. Paths are absolute. */
export interface PluginFiles {
  /**
   * Names of the files in a folder, sorted; undefined when there is no such folder.
   * @throws Error when it cannot be read
   */
  list(directory: string): readonly string[] | undefined;
  /** Why a file cannot be read; undefined when it can. */
  problem(file: string): string | undefined;
}

/** Synchronous: a few calls for a whole configuration, and none of them on a request's way. */
export const FILES_ON_DISK: PluginFiles = {
  list(directory) {
    try {
      return readdirSync(directory).toSorted();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  },
  problem(file) {
    try {
      if (!statSync(file).isFile()) return "it is not a file";
      accessSync(file, constants.R_OK);
      return undefined;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === "ENOENT" ? "it does not exist" : messageOf(error);
    }
  },
};

/** A disk on which nothing but these files exists. @param paths absolute */
export function filesAt(paths: readonly string[]): PluginFiles {
  return {
    list(directory) {
      const inside = paths.filter((path) => dirname(path) === directory);
      return inside.length === 0 ? undefined : inside.map((path) => basename(path)).toSorted();
    },
    problem: (file) => (paths.includes(file) ? undefined : "it does not exist"),
  };
}
