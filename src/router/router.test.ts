import { describe, expect, test } from "bun:test";
import { LIMITS } from "../base/limits.ts";
import { buildLinearRouter } from "./linear.testing.ts";
import { buildRouter, checkRules, type RouteRule, RulesRefused } from "./router.ts";

/** Everything that a test need not say about a rule. */
type Rule = Partial<RouteRule<string>> & { uris: string[] };

const implementations = [
  ["buildRouter()", buildRouter],
  ["buildLinearRouter()", buildLinearRouter],
] as const;

// One contract for both: the naive one is what the fast one is compared with (router.fuzz.test.ts).
describe.each(implementations)("%s", (_, build) => {
  /** Ids are "r0", "r1" … in the order of the list. */
  function route(rules: Rule[], request: string): string | undefined {
    const [method = "", url = ""] = request.split(" ");
    const slash = url.indexOf("/");
    const match = build(rules.map(complete)).match(method, url.slice(0, slash), url.slice(slash));
    const params = match?.params.map(([name, value]) => ` ${name}=${value}`).join("");
    return match === undefined ? undefined : match.rule.id + params;
  }

  test("finds nothing without rules", () => {
    expect(route([], "GET h/")).toBeUndefined();
  });

  test("hands out the rule itself with its value", () => {
    const rule = complete({ uris: ["/a"], value: "v" }, 0);
    expect(build([rule]).match("GET", "h", "/a")).toEqual({ rule, params: [] });
  });

  test.each([
    // uri           path              found
    ["/", "/", "r0"],
    ["/", "/a", undefined],
    ["/a", "/a", "r0"],
    ["/a", "/a/", undefined],
    ["/a", "/A", undefined],
    ["/a", "/ab", undefined],
    ["/a/", "/a/", "r0"],
    ["/a/", "/a", undefined],
    ["/a%2Fb", "/a%2Fb", "r0"],
    ["/a/b", "/a%2Fb", undefined],
    ["/*", "/", "r0"],
    ["/*", "/a/b/c", "r0"],
    ["/api/*", "/api", undefined],
    ["/api/*", "/api/", "r0"],
    ["/api/*", "/api/a", "r0"],
    ["/api/*", "/api/a/b/", "r0"],
    ["/api/*", "/apis/a", undefined],
    ["/api/*", "/a", undefined],
    ["/:id", "/7", "r0 id=7"],
    ["/:id", "/", undefined],
    ["/:id", "/7/", undefined],
    ["/:id", "/7/8", undefined],
    ["/:id/", "/7/", "r0 id=7"],
    ["/:id/", "/7", undefined],
    ["/u/:id/p/:_n2", "/u/a%2Fb/p/x:y", "r0 id=a%2Fb _n2=x:y"],
    ["/u/:id/p", "/u//p", undefined],
    ["/u/:id/*", "/u/7/", "r0 id=7"],
    ["/u/:id/*", "/u/7/a/b", "r0 id=7"],
    ["/u/:id/*", "/u/7", undefined],
    ["/u/:id/*", "/u//a", undefined],
    ["/u/:id/p/q", "/u/7/p/q", "r0 id=7"],
    ["/u/:id/p/q", "/u/7/p/qs", undefined],
    ["/u/:id/p/q", "/u/7/p", undefined],
    ["/u/:id/p/*", "/u/7/ps/", undefined],
    ["/v1/x:batch", "/v1/x:batch", "r0"],
    ["/v1/x:batch", "/v1/xy", undefined],
    ["~^/a[0-9]+$", "/a12", "r0"],
    ["~^/a[0-9]+$", "/a12/", undefined],
    ["~a", "/bab", "r0"],
    ["~/$", "/x/", "r0"],
    ["~^/api/v[12]/", "/api/v2/x", "r0"],
    ["~^/api/v[12]/", "/x/api/v2/x", undefined],
    ["~^/api$", "/api", "r0"],
    ["~^/api/?$", "/api", "r0"],
    ["~^/api/?$", "/api/", "r0"],
    ["~^/api/x*$", "/api/", "r0"],
    ["~^/api/b{0}$", "/api/", "r0"],
    ["~^/a/b|/c$", "/x/c", "r0"],
    ["~^\\/a\\.b\\/c", "/a.b/cd", "r0"],
    ["~^\\/a\\.b\\/c", "/axb/cd", undefined],
    ["~^/a\\/?b", "/ab", "r0"],
    ["~^/constructor/.", "/constructor/x", "r0"],
    ["/__proto__/:x", "/__proto__/y", "r0 x=y"],
  ])("uri %j and path %j give %j", (uri, path, found) => {
    expect(route([{ uris: [uri] }], `GET h${path}`)).toBe(found as string);
  });

  test.each([
    ["a.com", "a.com", true],
    ["a.com", "b.com", false],
    ["a.com", "x.a.com", false],
    ["*.a.com", "x.a.com", true],
    ["*.a.com", "x.y.a.com", true],
    ["*.a.com", "a.com", false],
    ["*.a.com", ".a.com", false],
    ["*.a.com", "xa.com", false],
    ["*.a.com", "x.a.com.b", false],
    ["127.0.0.1", "127.0.0.1", true],
    ["[::1]", "[::1]", true],
  ])("host %j and request to %j: %p", (host, asked, matches) => {
    const rules = [{ uris: ["/*"], hosts: [host] }];
    expect(route(rules, `GET ${asked}/`)).toBe(matches ? "r0" : (undefined as unknown as string));
  });

  test("matches by any uri, any host and any method of a rule", () => {
    const rules = [{ uris: ["/a", "/b/*"], hosts: ["x.com", "*.y.com"], methods: ["GET", "PUT"] }];
    for (const request of ["GET x.com/a", "PUT x.com/b/c", "GET z.y.com/b/", "PUT z.y.com/a"]) {
      expect(route(rules, request)).toBe("r0");
    }
    for (const request of ["POST x.com/a", "HEAD x.com/a", "GET y.com/a", "GET x.com/b"]) {
      expect(route(rules, request)).toBeUndefined();
    }
  });

  describe("of several that match", () => {
    test.each<[string, Rule[]]>([
      [
        "the higher priority beats the exact host and the exact path",
        [
          { uris: ["/a/b"], hosts: ["x.h"] },
          { uris: ["/*"], priority: 1 },
        ],
      ],
      [
        "a priority may be negative",
        [
          { uris: ["/a/b"], hosts: ["x.h"], priority: -1 },
          { uris: ["~b"], priority: 0 },
        ],
      ],
      [
        "the exact host beats the exact path",
        [
          { uris: ["/a/b"], hosts: ["*.h"] },
          { uris: ["/*"], hosts: ["x.h"] },
        ],
      ],
      ["a wildcard beats no host", [{ uris: ["/a/b"] }, { uris: ["/*"], hosts: ["*.h"] }]],
      [
        "the path decides between two with the exact host",
        [
          { uris: ["/a/*"], hosts: ["x.h"] },
          { uris: ["/a/b"], hosts: ["x.h"] },
        ],
      ],
      ["an exact path beats parameters", [{ uris: ["/a/:y"] }, { uris: ["/a/b"] }]],
      ["parameters beat a prefix", [{ uris: ["/a/*"] }, { uris: ["/:x/:y"] }]],
      ["the first literal beats a later one", [{ uris: ["/:x/b"] }, { uris: ["/a/:y"] }]],
      ["the longer prefix beats the shorter one", [{ uris: ["/*"] }, { uris: ["/a/*"] }]],
      ["a prefix beats a regex", [{ uris: ["~^/a/b$"] }, { uris: ["/a/*"] }]],
      ["a regex beats the catch-all", [{ uris: ["/*"] }, { uris: ["~."] }]],
      [
        "a rule for other methods is not there",
        [
          { uris: ["/a/b"], hosts: ["x.h"], priority: 9, methods: ["PUT"] },
          { uris: ["~nothing"], priority: 8 },
          { uris: ["/*"] },
        ],
      ],
    ])("%s", (_name, rules) => {
      expect(route(rules, "GET x.h/a/b")?.split(" ")[0]).toBe(`r${rules.length - 1}`);
    });

    test("the longer wildcard beats the shorter one", () => {
      const rules = ["*.h", "*.x.h", "*.y.x.h"].map((host) => ({ uris: ["/"], hosts: [host] }));
      expect(route(rules, "GET z.y.x.h/")).toBe("r2");
      expect(route(rules, "GET z.x.h/")).toBe("r1");
    });

    test("the longer prefix beats the shorter one with more literals", () => {
      const rules = [{ uris: ["/a/*"] }, { uris: ["/:x/b/*"] }];
      expect(route(rules, "GET h/a/b/c")).toBe("r1 x=a");
    });

    test.each([["/a/b"], ["/a/:y"], ["/a/*"], ["~^/a/"], ["/*"]])(
      "the earlier rule wins between two with %j",
      (uri) => {
        const rules = [{ uris: ["/z"] }, { uris: [uri] }, { uris: [uri.replace(":y", ":z")] }];
        expect(route(rules, "GET h/a/b")?.split(" ")[0]).toBe("r1");
      },
    );

    test("the earlier uri of a rule names the parameters", () => {
      expect(route([{ uris: ["/:a", "/:b"] }], "GET h/1")).toBe("r0 a=1");
    });

    test("the first for the method wins, named or not", () => {
      const rules = [
        { uris: ["/a"], methods: ["PUT"] },
        { uris: ["/a"], methods: ["GET", "PUT"] },
        { uris: ["/a"] },
        { uris: ["/a"], methods: ["POST"] },
        { uris: ["/a"], methods: ["DELETE"], priority: 1 },
      ];
      const found = ["PUT", "GET", "POST", "DELETE"].map((method) => route(rules, `${method} h/a`));
      expect(found).toEqual(["r0", "r1", "r2", "r4"]);
    });

    test("a literal that leads nowhere gives way to the parameter beside it", () => {
      const rules = [{ uris: ["/a/b/c/d"] }, { uris: ["/:x/b/:y/e"] }, { uris: ["/a/:x/c/f"] }];
      expect(route(rules, "GET h/a/b/c/e")).toBe("r1 x=a y=c");
      expect(route(rules, "GET h/a/b/c/f")).toBe("r2 x=b");
    });
  });
});

describe("buildRouter() errors", () => {
  test("refuses with every problem at once, each with its rule", () => {
    const rules = [
      complete({ uris: ["/ok", "bad"], hosts: ["B.com"] }, 0),
      complete({ uris: ["~("] }, 1),
    ];
    const problems = checkRules(rules);
    expect(problems.map(({ ruleId, pattern, code }) => [ruleId, pattern, code])).toEqual([
      ["r0", "B.com", "BAD_HOST"],
      ["r0", "bad", "BAD_URI"],
      ["r1", "~(", "BAD_REGEX"],
    ]);
    expect(() => buildRouter(rules)).toThrow(RulesRefused);
    expect(() => buildRouter(rules)).toThrow('Route "r0": host "B.com" never matches');
  });

  test("refuses more pairs of uri and host than the limit and names it", () => {
    const uris = Array.from({ length: 1000 }, (_, n) => `/${n}`);
    const hosts = Array.from({ length: LIMITS.routeEntriesMax / 1000 }, (_, n) => `h${n}`);
    const rules = [complete({ uris, hosts }, 0), complete({ uris: ["/"] }, 1)];
    const [problem] = checkRules(rules);
    expect(problem).toMatchObject({ ruleId: "r1" });
    expect(problem?.message).toContain(`more than ${LIMITS.routeEntriesMax} pairs`);
    expect(checkRules(rules.slice(0, 1))).toEqual([]);
  });

  test("looks a hostile path of thousands of segments up without running out of stack", () => {
    const router = buildRouter([
      complete({ uris: ["/:a/:b/:c/d", "/a/a/a/*", "~^/a/a/x"] }, 0),
      complete({ uris: ["/a/:b/*"] }, 1),
    ]);
    const match = router.match("GET", "a.".repeat(120), "/a".repeat(4000));
    expect(match?.rule.id).toBe("r0");
  });
});

function complete(rule: Rule, index: number): RouteRule<string> {
  return { id: `r${index}`, hosts: [], methods: [], priority: 0, value: "", ...rule };
}
