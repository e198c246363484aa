import { room } from './room.ts'

/** What stands around every page. */
export const frame = room({
  en: {
    skip: 'Skip to content',
    signOut: 'Sign out',
    settings: 'Settings',
    dashboard: 'Dashboard',
    api: 'API',
    phone: 'Sandbox phone',
    upstream: 'VertexSMS account',
    passkeys: 'Passkeys',
    sessions: 'Sessions',
    browserOn: (browser: string, system: string) => `${browser} on ${system}`,
    someBrowserOn: (system: string) => `A browser on ${system}`,
    unknownBrowser: 'An unknown browser',
    exactTimes: 'Show exact times',
    shortTimes: 'Show times as how long ago',
    /** Of a way through pages of a list. */
    newer: 'Newer',
    older: 'Older',
    pageOf: (page: string, pages: string, rows: string) => `Page ${page} of ${pages}, ${rows} in all`,
  },
  lt: {
    skip: 'Pereiti prie turinio',
    signOut: 'Atsijungti',
    settings: 'Nustatymai',
    dashboard: 'Mano paskyra',
    api: 'API',
    phone: 'Bandomasis telefonas',
    upstream: 'VertexSMS paskyra',
    passkeys: 'Prieigos raktai',
    sessions: 'Seansai',
    browserOn: (browser, system) => `${browser} (${system})`,
    someBrowserOn: (system) => `Naršyklė (${system})`,
    unknownBrowser: 'Nežinoma naršyklė',
    exactTimes: 'Rodyti tikslius laikus',
    shortTimes: 'Rodyti, prieš kiek laiko',
    newer: 'Naujesni',
    older: 'Senesni',
    pageOf: (page, pages, rows) => `${page} puslapis iš ${pages}, iš viso įrašų: ${rows}`,
  },
})
