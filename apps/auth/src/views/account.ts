import type { WhoView } from '../connections/who.ts'
import type { TimeView } from '../words/format.ts'
import type { Language } from '../words/room.ts'
import type { Words } from '../words/words.ts'
import type { Viewer } from './frame.ts'

/** `sandbox-phone`: what the simulated operator delivered. */
export interface SandboxPhonePage {
  readonly viewer: Viewer
  /** Digits of the number whose texts are shown; null shows those of all numbers. */
  readonly chosen: string | null
  readonly numbers: readonly { readonly digits: string; readonly texts: number; readonly latest: TimeView }[]
  readonly texts: readonly {
    readonly recipient: string
    readonly sender: string
    readonly text: string
    readonly received: TimeView
    /** Who sent it and what it cost; null where that is not known. */
    readonly sent: { readonly who: WhoView; readonly micros: bigint } | null
  }[]
  /** True when there are more texts than are shown. */
  readonly isCut: boolean
}

/** One browser that is signed in. */
export interface SessionView {
  readonly id: string
  readonly browser: string
  readonly address: string
  readonly created: TimeView
  readonly lastSeen: TimeView
}

/** `sessions`: Settings -> Sessions. */
export interface SessionsPage {
  readonly viewer: Viewer
  readonly notice: string | null
  /** The one this page is seen in. */
  readonly current: readonly SessionView[]
  readonly others: readonly SessionView[]
}

/** `account`: Settings -> Account. */
export interface AccountPage {
  readonly viewer: Viewer
  readonly formAction: string
  /** What was done, and in which section. */
  readonly notice: { readonly about: 'password' | 'zone' | 'mails'; readonly text: string } | null
  readonly minChars: number
  /** Whether the box that ends connections is ticked: as it was sent, where the form is shown again. */
  readonly endsConnections: boolean
  /** The zone that is set; empty for UTC. */
  readonly timeZone: string
  readonly timeZones: readonly {
    readonly area: string
    readonly zones: readonly { readonly name: string; readonly place: string }[]
  }[]
  /** False where this installation has no mail server, and there is nothing to choose. */
  readonly sendsMail: boolean
  readonly notices: readonly {
    readonly kind: string
    readonly label: string
    /** As the form was filled in. */
    readonly isWanted: boolean
    /** As it stands: to switch it off takes the password. */
    readonly isSent: boolean
  }[]
  /** Of the mails, as it stands; null while nobody chose. */
  readonly language: string | null
  /** To choose from for the mails. */
  readonly languages: readonly { readonly value: Language; readonly name: string; readonly isChosen: boolean }[]
  /** What is wrong with each field. */
  readonly errors: {
    readonly password?: string
    readonly new_password?: string
    readonly time_zone?: string
    /** With the password that the choice of mails takes. */
    readonly mails?: string
  }
}

/** `passkey-remove`: asks before a passkey goes. */
export interface PasskeyRemovePage {
  readonly viewer: Viewer
  readonly id: string
  readonly name: string
  readonly created: TimeView
  readonly lastUsed: TimeView | null
}

/** `passkeys`: Settings -> Passkeys. */
export interface PasskeysPage {
  readonly viewer: Viewer
  /** What was done. */
  readonly notice: string | null
  /** What is wrong with the passkey, or with the password that was typed. */
  readonly error: string | null
  readonly passwordError: string | null
  /** JSON for the ceremony that makes a passkey, run by passkeys.js. */
  readonly options: string
  /** As it was typed, where the form is shown again. */
  readonly suggestedName: string
  readonly passkeys: readonly {
    readonly id: string
    readonly name: string
    readonly created: TimeView
    readonly lastUsed: TimeView | null
  }[]
}

/** `upstream-account`: Settings -> Sending account. */
export interface UpstreamAccountPage {
  readonly viewer: Viewer
  readonly formAction: string
  /** False where the installation sends to the simulated operator. */
  readonly isReal: boolean
  /** What was done, told beside what it is about. */
  readonly notice: keyof Words['upstream']['notices'] | null
  /** Null while none is set. */
  readonly token: { readonly lastFour: string; readonly set: TimeView; readonly checked: TimeView | null } | null
  /** As it stands in its field. */
  readonly hlrPrice: string
  /** What is wrong with each field. */
  readonly errors: {
    readonly token?: string
    readonly password?: string
    readonly remove?: string
    readonly price?: string
  }
  /** True after VertexSMS could not be asked: the token may be stored all the same. */
  readonly offersUnasked: boolean
  /** True where that was chosen, and something else was wrong. */
  readonly isUnasked: boolean
}
