/**
 * The limits of this API that are no owner's: how much, of what, and why that much. Three that belong to one rule each stand
 * with it: `AT_ONCE_MAX` and `WAITING_MAX` (ledger/standing.ts), `APPROVALS_OPEN_MAX` (sending/approval.ts). `docs/limits.md`
 * tells operators the same.
 */
export const LIMITS = {
  /** Requests with a sound token, on one node; `RATE_LIMITS=off` ends these two. */
  requests: {
    /** A script that sends a campaign; a node answers many times as many. */
    perToken: { perSecond: 200, burst: 2_000 },
    /** More tokens are no way to more of a node. */
    perAccount: { perSecond: 400, burst: 4_000 },
    /** Tokens and accounts whose pace a node remembers; who is forgotten begins with a full burst. */
    remembered: 20_000,
  },
  /** Lists that were let in and are not done, on one node: each holds what is sent, and its runner a lease. */
  lists: {
    /** Five thousand messages at eight at a time: whoever posts faster waits outside. */
    perAccount: 50,
    /** What was scheduled and is due, beside them: the rest waits in the database, for this node or another. */
    duePerAccount: 16,
  },
  /** `GET /hlr/{id}?wait=` that wait, on one node: each holds a socket and a request, none a connection of the database. */
  waits: {
    /** One more than the MCP server lets an account have, which counts before us, and some for a script beside it. */
    perToken: 20,
    perAccount: 40,
    /** Memory and sockets; twelve accounts with all they may have leave room for others. */
    perNode: 500,
    /** Results come within seconds. */
    retrySeconds: 2,
  },
  /** Posts to customers' servers that run at the same time. */
  posts: {
    /** One node: sockets, and answers of up to 10 s that it waits for. */
    perNode: 32,
    /** Of one account, on all nodes: a quarter of a node, so that three accounts with dead servers leave room. */
    perAccount: 8,
    /** To one host, on all nodes, whoever asks: more than one account gets, so that none has a host to itself. */
    perHost: 12,
    /** Of one account to one host: half of the account's, so that its slow server leaves room for its quick one. */
    perAccountAndHost: 4,
  },
  /** Posts that wait for their turn or their next try, counted when a request names another URL. */
  owed: {
    /** An account that has these open has servers that do not answer; further messages go without a callback URL. */
    perAccount: 5_000,
    /** One dead server of several does not use up the account's. */
    perAccountAndHost: 1_000,
  },
  /** PINs that confirm a number as a sender, on all nodes; a day is one of UTC. */
  pins: {
    /** Of one account: whoever has more numbers than this asks us. */
    perDay: 50,
    /** Of one account that may be confirmed at the same time: each is a window for guesses. */
    outstanding: 20,
    /** Of one account to one number: a mistyped code or a lost text, a few times. */
    perNumberAndDay: 5,
    /** To one number, whoever asks: two accounts get their full number, and its owner is not flooded. */
    numberPerDay: 10,
    /** To one number, counting in the first of each account, which others' further ones cannot take. */
    numberFirstsPerDay: 30,
    /** Of one account: with five digits a right one in two thousand days, and enough for every PIN it may have. */
    guessesPerDay: 50,
  },
  /** Tries of one post. */
  tries: {
    /** The last of them comes after nearly 22 hours, see `pauseAfterMs`; a day is the most in any case. */
    usual: 12,
    /** `testMode` costs nothing and tests a server that is there; it must not be a way to knock at others' doors. */
    free: 3,
  },
} as const
