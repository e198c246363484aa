// What a person reads who opens the address of a program in a browser, in each language. The pages of an account have their
// own catalogue (apps/auth); these two need none of it.

/** Languages that these pages are written in; the first is spoken to whoever asks for none of them. */
export const BROWSER_LANGUAGES = ['en', 'lt'] as const
type BrowserLanguage = (typeof BROWSER_LANGUAGES)[number]

/** Whose address it is. */
export type Program = 'api' | 'mcp'

/** The words of one such page. */
export interface ProgramWords {
  readonly title: string
  /** A paragraph each. */
  readonly text: readonly string[]
  /** What each link is called, in the order in which they stand. */
  readonly links: Readonly<Record<string, string>>
}

interface Words extends Readonly<Record<Program, ProgramWords>> {
  readonly status: string
  readonly reference: string
}

const en = {
  status: 'Status',
  reference: 'Reference',
  api: {
    title: 'An address for programs',
    text: [
      'This is the REST API of VertexSMS. Programs call it with an API token; there is little to see in a browser.',
      'Its address is:',
    ],
    links: {
      routes: 'Reference of every route',
      first: 'How to send the first message',
      token: 'Make an API token',
    },
  },
  mcp: {
    title: 'An address for AI clients',
    text: [
      'This is the MCP server of VertexSMS. It talks with AI clients such as Claude, Cursor or VS Code, which sign you in themselves; there is nothing to see in a browser.',
      'Give your client this address:',
    ],
    links: { connect: 'How to connect each client', tools: 'What it can do', account: 'Your account' },
  },
} as const satisfies Words

/** The names of the links of each program's page. */
export type LinkOf<Of extends Program> = keyof (typeof en)[Of]['links']

/** The words in every language; one that lacks a link of another does not compile. */
export const BROWSER_WORDS: Readonly<
  Record<
    BrowserLanguage,
    Words & { readonly [Of in Program]: { readonly links: Readonly<Record<LinkOf<Of>, string>> } }
  >
> = {
  en,
  lt: {
    status: 'Būsena',
    reference: 'Užklausos numeris',
    api: {
      title: 'Adresas programoms',
      text: [
        'Tai VertexSMS REST API. Programos į jį kreipiasi su API raktu; naršyklėje čia beveik nėra ko matyti.',
        'Jo adresas:',
      ],
      links: {
        routes: 'Visų maršrutų žinynas',
        first: 'Kaip išsiųsti pirmąją žinutę',
        token: 'Susikurti API raktą',
      },
    },
    mcp: {
      title: 'Adresas DI programoms',
      text: [
        'Tai VertexSMS MCP serveris. Jis bendrauja su DI programomis, pavyzdžiui, „Claude“, „Cursor“ ar „VS Code“, kurios pačios paprašo jūsų prisijungti; naršyklėje čia nėra ko matyti.',
        'Savo programai duokite šį adresą:',
      ],
      links: {
        connect: 'Kaip prijungti kiekvieną programą',
        tools: 'Ką jis moka (angliškai)',
        account: 'Jūsų paskyra',
      },
    },
  },
}
