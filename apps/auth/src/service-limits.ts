// Every limit of this app, each with its reason. Who is counted is said once for all of them: an address is its group
// (@vertexsms/service/address), the IPv4 address or the IPv6 /64, and `network` is the second, wider ceiling for the /48
// around an IPv6 address, because one customer may be given all of it.

/** How often something may happen: `hits` in each window of `seconds`, `network` for all of an IPv6 /48 together. */
export interface Limit {
  readonly hits: number
  readonly network: number
  readonly seconds: number
}

const MINUTE_SECONDS = 60
const TEN_MINUTES_SECONDS = 600
const HOUR_SECONDS = 3600

/** How often, by address group; what is counted beside the address stands with each. */
export const LIMITS = {
  /** Registrations (RFC 7591). A hosted client registers once for each new person, all from few addresses. */
  registration: { hits: 60, network: 120, seconds: MINUTE_SECONDS },
  /** Failures at the token endpoint. Successes are not counted: hosted clients refresh for thousands from one address. */
  token: { hits: 1200, network: 6000, seconds: MINUTE_SECONDS },
  /** Failures at introspection. Successes are not counted: a resource server asks as often as it is called. */
  introspection: { hits: 1200, network: 6000, seconds: MINUTE_SECONDS },
  /** Revocations; RFC 7009 answers alike whether there was a token, so all are counted, and live tokens pass. */
  revocation: { hits: 600, network: 3000, seconds: MINUTE_SECONDS },
  /** Pushed authorization requests, each a row for a minute. */
  pushedRequest: { hits: 300, network: 1500, seconds: MINUTE_SECONDS },
  /** Failures of one client at one address, at all endpoints above: what one broken client may use of its neighbours'. */
  client: { hits: 300, network: 1500, seconds: MINUTE_SECONDS },
  /** Authorization requests, each a row for fifteen minutes. People behind one company's address start two a second. */
  authorization: { hits: 120, network: 600, seconds: MINUTE_SECONDS },
  /** Fetches of metadata documents and key sets that were never seen, at whatever endpoint their client is named (SSRF). */
  documentClient: { hits: 60, network: 300, seconds: MINUTE_SECONDS },
  /**
   * Of these, those from one host. Whoever connects names one document there, and its key set; many addresses together make
   * us knock at somebody else's door this much less often.
   */
  documentClientHost: { hits: 20, network: 100, seconds: MINUTE_SECONDS },
  /** Fetches of one metadata document, for everybody. A node asks once a minute; this is for all nodes. */
  documentUrl: { hits: 4, network: 4, seconds: MINUTE_SECONDS },
  /**
   * Fetches of documents that were never seen, per host, for everybody. Far more than one address may cause, so that
   * whoever makes up paths uses up its own share before the host's.
   */
  documentHost: { hits: 600, network: 600, seconds: MINUTE_SECONDS },
  /**
   * The same of key sets of which there is no copy. Clients that somebody has connected are exempt, so that made-up ones
   * with paths of the same host cannot keep their keys away.
   */
  keySetHost: { hits: 600, network: 600, seconds: MINUTE_SECONDS },
  /** Wrong passwords for one account from one address or one browser that has signed in before: locks that pair alone. */
  signIn: { hits: 10, network: 100, seconds: TEN_MINUTES_SECONDS },
  /** Wrong passwords for one account from everywhere: beyond it a try in a new browser waits, and is never refused. */
  signInAccount: { hits: 60, network: 60, seconds: 300 },
  /**
   * Sign-ins tried from one address, whatever the account; each costs a password hash. Those in known browsers count beside
   * it, as many for each account.
   */
  signInAddress: { hits: 600, network: 3000, seconds: TEN_MINUTES_SECONDS },
  /** Requests for access, each a row that a person reads. */
  requestAccess: { hits: 10, network: 50, seconds: HOUR_SECONDS },
  /**
   * Forgotten passwords, each a row and perhaps a mail. People behind one company's address forget a few an hour. Those of
   * a known browser count beside it, as many for each account.
   */
  forgotPassword: { hits: 20, network: 100, seconds: HOUR_SECONDS },
  /** The same for one email address from everywhere: what fills one person's mailbox. Above it nothing is sent. */
  forgotPasswordAccount: { hits: 3, network: 3, seconds: HOUR_SECONDS },
  /** Uses of the good password links of one account, from everywhere; each costs a password hash. */
  setPassword: { hits: 30, network: 30, seconds: TEN_MINUTES_SECONDS },
  /**
   * Changes of an account's password on its own page: each is a mail that nobody can mute, which whoever knows the password
   * could otherwise fill the owner's mailbox with. A link sets one still.
   */
  passwordChange: { hits: 5, network: 5, seconds: HOUR_SECONDS },
  /** Tokens of VertexSMS that one account sets or removes; each costs a password hash and a call to VertexSMS. */
  upstreamToken: { hits: 20, network: 20, seconds: TEN_MINUTES_SECONDS },
  /**
   * Passkey ceremonies of one account; each costs a signature check and leaves a row until its challenge has expired. Those
   * of a sign-in count at their address alone, so that nobody keeps an owner out from elsewhere.
   */
  passkey: { hits: 120, network: 600, seconds: TEN_MINUTES_SECONDS },
  /** Passkeys that one account adds: each is a mail that nobody can mute, and so is its removal. */
  passkeyAddition: { hits: 20, network: 20, seconds: HOUR_SECONDS },
} as const satisfies Record<string, Limit>

/** The name of a limit. */
export type LimitName = keyof typeof LIMITS

/** How much of one kind may be stored: rows and bytes in all, and rows of one origin (an address group, or its /48). */
export interface Room {
  readonly maxRows: number
  readonly maxBytes: number
  readonly maxRowsOfOrigin: number
}

const MIB = 1024 * 1024

/**
 * What strangers can make us store, by kind. When a kind is full, the origin that holds the most loses its oldest, so
 * that whoever floods pays for it and a newcomer with one row always finds room.
 */
export const ROOM = {
  /**
   * Authorization requests that wait for a person; gone after INTERACTION_SECONDS. Of one origin as many as its limits let
   * begin in that time, each as large as it may be, here and below, so that no neighbour can push out what a person is
   * deciding.
   */
  interactions: { maxRows: 10_000, maxBytes: 128 * MIB, maxRowsOfOrigin: 10_000 },
  /** Pushed authorization requests; gone after a minute. */
  pushedRequests: { maxRows: 10_000, maxBytes: 32 * MIB, maxRowsOfOrigin: 3000 },
  /** Clients that never connected; those that did are never touched. */
  unusedClients: { maxRows: 20_000, maxBytes: 64 * MIB, maxRowsOfOrigin: 2000 },
  /** Copies of metadata documents of clients that never connected: a cache, fetched again when it is needed. */
  unusedDocuments: { maxRows: 2000, maxBytes: 16 * MIB, maxRowsOfOrigin: 2000 },
  /** Requests for a new password, with and without an account, until the job has answered them. */
  passwordRequests: { maxRows: 10_000, maxBytes: 8 * MIB, maxRowsOfOrigin: 100 },
  /** Requests for access that no operator has handled. */
  accessRequests: { maxRows: 10_000, maxBytes: 16 * MIB, maxRowsOfOrigin: 100 },
} as const satisfies Record<string, Room>

/** How long a request for access is kept since an operator handled it; the form says so. */
export const HANDLED_REQUEST_DAYS = 90

/** Counters of the limits above, each a row: the clean-up drops those that counted least. */
export const COUNTERS_MAX = 1_000_000

/** How large, and how many of an account. */
export const SIZES = {
  /** Body of an OAuth request. Forms of pages are a little larger. */
  oauthBodyBytes: 32 * 1024,
  pageBodyBytes: 64 * 1024,
  /** `state` goes back to the client as it came (RFC 6749 §4.1.1); some carry a signed object in it. */
  stateBytes: 4096,
  /** Any other parameter of an authorization request, redirect addresses included. */
  parameterBytes: 2048,
  /** All of them together, as JSON: what one waiting request may store, which is sealed in a third more. */
  parametersBytes: 8192,
  /** A client's metadata as it is stored, after everything unknown was dropped. */
  clientMetadataBytes: 8192,
  /** Keys of a client: what it signs with and what comes next. Each that may fit is tried on what anybody sends in its name. */
  keysOfClient: 20,
  /** Browsers that one account is signed in with; the one not seen for longest goes. */
  sessionsOfAccount: 100,
  /** Tokens made by hand that one account may have. */
  manualTokensOfAccount: 100,
  /** Connections of one account that are alive: each is looked at when its owner's pages are made. One that is connected again goes on. */
  connectionsOfAccount: 500,
  /**
   * Passwords that are hashed at once, and that wait for it, on one node: each takes 19 MiB and a thread. They take turns by
   * address group or known browser, so that who tries from a hundred addresses keeps others waiting a hundred turns at most,
   * and known browsers one turn in four.
   */
  passwordsAtOnce: 4,
  waitingPasswords: 256,
  /** Sign-ins that wait at once, in all and for one pair of account and address: a wait holds a request and nothing else. */
  waitingSignIns: 256,
  waitingSignInsOfPair: 4,
} as const
