// One token request, one unit of work. The library consumes the code or refresh token, saves the new one and signs the
// access token in three separate steps; here they are only noted, and written in one transaction when the answer is
// known to be a success. Nothing leaves before that, and a failure leaves the presented code or token as it was.
import type { SpenderLimits } from '@vertexsms/contract/spender-limits'

/** The connection a token request is about, as it was read together with the presented code or refresh token. */
export interface GrantSnapshot {
  readonly connectionId: string
  readonly grantId: string
  readonly accountId: string
  readonly clientId: string
  readonly scopes: readonly string[]
  /** In this process's time, as is the next. */
  readonly approvedAt: Date
  readonly expiresAt: Date
  /** How far this process's clock is ahead of the database's. */
  readonly aheadMs: number
  /** What the connection is held to, as its row says at this moment. */
  readonly limits: SpenderLimits
}

/** What the client presented. */
export interface PresentedToken {
  readonly kind: 'AuthorizationCode' | 'RefreshToken'
  /** base64url sha256 of the value: the artifact's key. */
  readonly id: string
  readonly value: string
}

/** An access token that was signed but not handed out yet. */
export interface SignedAccessToken {
  readonly jti: string
  readonly scope: string
  readonly lifetimeSeconds: number
}

/** A refresh token that was made but not handed out yet. */
export interface NewRefreshToken {
  readonly value: string
  readonly payload: string
  readonly lifetimeSeconds: number
}

/** What a refresh token was exchanged for a moment ago. */
export interface EarlierAnswer {
  readonly access_token: string
  readonly refresh_token: string
  readonly scope: string
}

/** What a token request has done so far. Every member is undefined until the library got there. */
export class UnitOfWork {
  grant: GrantSnapshot | undefined
  presented: PresentedToken | undefined
  /** True once the library decided to use up what was presented. */
  consumed = false
  access: SignedAccessToken | undefined
  refresh: NewRefreshToken | undefined
  /** Set when the refresh token was used a moment ago: what came of it then is given again, and no second branch. */
  earlier: EarlierAnswer | undefined
  /** True when the database failed in a read: the answer is 503, whatever the library made of it. */
  storageFailed = false
  /** One revocation per grant and request, although the library asks for several at once. */
  readonly revocations = new Map<string, Promise<unknown>>()
}
