import { clientGuides } from '@vertexsms/contract/connect'
import { room } from './room.ts'

type Client =
  | 'claude'
  | 'claude-code'
  | 'cursor'
  | 'vs-code'
  | 'chatgpt'
  | 'codex'
  | 'gemini'
  | 'windsurf'
  | 'zed'
  | 'opencode'
  | 'goose'
  | 'lm-studio'
  | 'kiro'
  | 'mcp-remote'

/** What to do in each client; the English sentences are those of the guides. */
function guideNotes(): Readonly<Record<Client, string>> {
  const guides = clientGuides('https://ours.invalid/mcp', '')
  return Object.fromEntries(guides.map(({ id, note }) => [id, note])) as Record<Client, string>
}

/** `connect`. What is pasted is for programs, and the same in every language. */
export const connect = room({
  en: {
    title: 'Connect',
    lead: 'Give your AI client this address. It then asks you to sign in here and to approve what it may do.',
    askIt: 'When it is connected, ask it: “Which networks are in Lithuania and what does an SMS cost?”',
    onlyHere:
      'This address works for programs on this computer only. Clients that run elsewhere, such as Claude on the web and ChatGPT, need a public https address: see “Behind a proxy” in docs/operations.md.',
    clients: 'Clients',
    address: 'the address',
    cannotReach: 'It does not run on this computer, and so it cannot reach the address above.',
    withToken: 'With an API token instead',
    makeOne: (settings: string) =>
      `Make one on ${settings}, put it in place of YOUR_API_TOKEN, and keep the file to yourself.`,
    withTokenOf: (client: string) => `${client} with a token`,
    scripts: 'Send from a script or a service, with a token and without an AI client.',
    scriptsSend: (settings: string, header: string) => `Scripts send a token from ${settings} as ${header}.`,
    everyRoute: (reference: string, openApi: string) => `The ${reference} has every route, also as ${openApi}.`,
    reference: 'reference',
    clientName: (name: string) => name,
    linkLabel: (label: string) => label,
    place: (place: string) => place,
    notes: guideNotes(),
  },
  lt: {
    title: 'Prijungimas',
    lead: 'Duokite šį adresą savo DI programai. Tada ji paprašys čia prisijungti ir patvirtinti, ką jai leidžiate.',
    askIt: 'Kai ji bus prijungta, paklauskite: „Kokie tinklai veikia Lietuvoje ir kiek kainuoja SMS?“',
    onlyHere:
      'Šis adresas tinka tik programoms šiame kompiuteryje. Kitur veikiančioms programoms, pavyzdžiui, „Claude“ naršyklėje ir „ChatGPT“, reikia viešo https adreso: kaip jį įrengti, parašyta (angliškai) faile docs/operations.md.',
    clients: 'Programos',
    address: 'adresą',
    cannotReach: 'Ji veikia ne šiame kompiuteryje, todėl aukščiau nurodyto adreso nepasiekia.',
    withToken: 'Arba su API raktu',
    makeOne: (settings) =>
      `Sukurkite jį puslapyje ${settings}, įrašykite vietoje YOUR_API_TOKEN ir failo niekam nerodykite.`,
    withTokenOf: (client) => `${client} su raktu`,
    scripts: 'Siųskite iš scenarijaus ar savo sistemos, su raktu ir be DI programos.',
    scriptsSend: (settings, header) => `Scenarijai siunčia raktą iš puslapio ${settings} antraštėje ${header}.`,
    everyRoute: (reference, openApi) => `Visi keliai aprašyti ${reference}, taip pat ir ${openApi} formatu.`,
    reference: 'žinyne',
    clientName: (name) =>
      name === 'Any client that runs a local command' ? 'Kita DI programa, vykdanti vietinę komandą' : name,
    linkLabel: (label) =>
      label === 'Add for an organisation' ? 'Pridėti organizacijai' : label.replace(/^Add to /, 'Pridėti į '),
    place: (place) => ({ Terminal: 'Terminalas', 'MCP server URL': 'MCP serverio adresas' })[place] ?? place,
    notes: {
      claude:
        'Naršyklėje ir kompiuteryje: atverkite nuorodą, pridėkite jungtį ir spauskite „Connect“. Organizacija ją prideda visiems.',
      'claude-code': 'Įvykdykite komandą, tada prisijunkite su /mcp programoje „Claude Code“ arba su claude mcp login.',
      cursor: 'Atverkite nuorodą arba įrašykite bloką į failą; tada prisijunkite ten, kur „Cursor“ rodo serverį.',
      'vs-code': 'Atverkite nuorodą arba įrašykite bloką į failą ir virš jo spauskite „Start“.',
      chatgpt: 'Nustatymuose, jungčių skyriuje, sukurkite jungtį su šiuo adresu ir OAuth bei ją prijunkite.',
      codex: 'Komanda prisijungia iš karto. Su raktu: „Codex“ jį skaito iš aplinkos kintamojo.',
      gemini: 'Įvykdykite komandą, tada prisijunkite su /mcp auth vertexsms programoje „Gemini CLI“.',
      windsurf: 'Įrašykite bloką į failą ir nustatymuose atnaujinkite serverius.',
      zed: 'Įrašykite bloką į nustatymus; tada „Zed“ paprašys prisijungti.',
      opencode: 'Įvykdykite komandas: antrąja prisijungsite. Arba sukurkite failą.',
      goose: 'Atverkite nuorodą kompiuteryje arba įrašykite bloką į failą.',
      'lm-studio': 'Atverkite nuorodą arba įrašykite bloką į failą.',
      kiro: 'Atverkite nuorodą arba įrašykite bloką į failą.',
      'mcp-remote':
        'Naudoja mcp-remote (reikia „Node“). „Claude Desktop“ programai redaguokite claude_desktop_config.json.',
    },
  },
})
