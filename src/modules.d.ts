/** A module that Bun embeds: its path, inside the executable or in the source tree. */
declare module "*.wasm" {
  const path: string;
  export default path;
}
