/** What filters have set on one exchange, under any path. */
export class SetProperties {
  // Made when they are needed: most exchanges have no such property.
  #values: Map<string, string | Uint8Array> | undefined;
  #readOnly: Set<string> | undefined;

  /** @returns false when the path keeps the value that it has */
  set(path: readonly string[], value: string | Uint8Array, readOnly: boolean): boolean {
    const key = keyOf(path);
    if (this.#readOnly?.has(key) === true) return false;
    if (readOnly) (this.#readOnly ??= new Set()).add(key);
    (this.#values ??= new Map()).set(key, value);
    return true;
  }

  /**
   * Envoy's filter state has the value of the path `a` under the key `wasm.a`, too; a filter that
   * looks there finds it.
   */
  get(path: readonly string[]): string | Uint8Array | undefined {
    if (this.#values === undefined) return undefined;
    const value = this.#values.get(keyOf(path));
    const [root, key, ...rest] = path;
    if (value !== undefined || root !== "filter_state" || key === undefined) return value;
    if (!key.startsWith(PREFIX)) return undefined;
    return this.#values.get(keyOf([key.slice(PREFIX.length), ...rest]));
  }
}

const PREFIX = "wasm.";

function keyOf(path: readonly string[]): string {
  return path.join("\0");
}
