import { Type } from "@sinclair/typebox";
import { closed } from "./vocabulary.ts";

/** Not what APISIX has there, which is the PEM text itself: a key has no place in this file. */
const PEM = "a PEM file, relative to this file";

export const SslSchema = closed(
  {
    snis: Type.Array(
      Type.String({
        minLength: 1,
        description: "Exact, or *.example.com, where the * is one label",
        notes: { expected: "a host name such as example.com or *.example.com" },
      }),
      {
        minItems: 1,
        description:
          "Names that clients ask for and that get this certificate; one that asks for another " +
          "name, or for none, gets the first certificate of the list",
      },
    ),
    cert: Type.String({
      minLength: 1,
      description: `Path of the certificate, its chain behind it: ${PEM}`,
    }),
    key: Type.String({
      minLength: 1,
      description: `Path of the certificate's private key, not encrypted: ${PEM}`,
    }),
  },
  {
    description: "A certificate for listeners with `tls: true`",
    notes: {
      planned: [
        "certs",
        "client",
        "create_time",
        "desc",
        "id",
        "keys",
        "labels",
        "name",
        "sni",
        "ssl_protocols",
        "status",
        "type",
        "update_time",
        "validity_end",
        "validity_start",
      ],
    },
  },
);
