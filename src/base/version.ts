import packageJson from "../../package.json";

/** Of this executable. */
export const VERSION = packageJson.version;
