import { NO_FILTER, ONE_PER_REQUEST, ONE_SHARED } from "./filter-stages.ts";
import {
  ADMIT,
  DEADLINES,
  OPEN,
  PARSE_REQUEST,
  RENDER_ANSWER,
  ROUTE,
  STRIP,
} from "./front-stages.ts";
import type { Stage } from "./stage.ts";
import { PARSE_RESPONSE, RENDER_REQUEST, TAKE_CONNECTION } from "./upstream-stages.ts";

/** In the order of a request's life, without filters: together with the rest, an exchange. */
export const STAGES: readonly Stage[] = [
  PARSE_REQUEST,
  OPEN,
  ADMIT,
  ROUTE,
  NO_FILTER,
  TAKE_CONNECTION,
  RENDER_REQUEST,
  PARSE_RESPONSE,
  STRIP,
  RENDER_ANSWER,
  DEADLINES,
];

/** In place of NO_FILTER. */
export const FILTER_STAGES: readonly Stage[] = [ONE_SHARED, ONE_PER_REQUEST];
