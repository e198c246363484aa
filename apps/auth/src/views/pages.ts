import type {
  AccountPage,
  PasskeyRemovePage,
  PasskeysPage,
  SandboxPhonePage,
  SessionsPage,
  UpstreamAccountPage,
} from './account.ts'
import type { ApprovalPage, ApprovalsPage } from './approvals.ts'
import type { ConsentPage, ContinuePage } from './consent.ts'
import type { MessagePage, Viewer } from './frame.ts'
import type { EndedPage, OverviewPage } from './overview.ts'
import type { ConnectPage, ForgotPasswordPage, RequestAccessPage, SetPasswordPage, SignInPage } from './sign-in.ts'
import type { SpenderPage } from './spender.ts'
import type {
  ApiTokensPage,
  DisconnectPage,
  NewTokenPage,
  TokenCreatedPage,
  TokenDeletePage,
  TokenEditPage,
} from './tokens.ts'

/** Every page and the data it needs, and nothing else; the names are the files in views/pages. */
export interface Pages {
  readonly connect: ConnectPage
  readonly 'sign-in': SignInPage
  readonly consent: ConsentPage
  readonly continue: ContinuePage
  readonly message: MessagePage
  readonly 'api-tokens': ApiTokensPage
  readonly 'new-token': NewTokenPage
  readonly 'token-created': TokenCreatedPage
  readonly 'token-edit': TokenEditPage
  readonly 'token-delete': TokenDeletePage
  readonly disconnect: DisconnectPage
  readonly 'sandbox-phone': SandboxPhonePage
  readonly 'request-access': RequestAccessPage
  readonly 'set-password': SetPasswordPage
  readonly 'forgot-password': ForgotPasswordPage
  readonly sessions: SessionsPage
  readonly passkeys: PasskeysPage
  readonly 'passkey-remove': PasskeyRemovePage
  readonly account: AccountPage
  readonly 'upstream-account': UpstreamAccountPage
  readonly approval: ApprovalPage
  readonly approvals: ApprovalsPage
  readonly spender: SpenderPage
  readonly overview: OverviewPage
  readonly ended: EndedPage
  readonly lost: MessagePage & { readonly viewer: Viewer }
}

/** The name of a page. */
export type PageName = keyof Pages
