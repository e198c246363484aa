import { room } from './room.ts'

/** Who asks, spends or has ended: the same words on every page. */
export const who = room({
  en: {
    local: 'An app on this computer',
    link: (place: string) => `An app that opens ${place} links`,
    unknownLink: 'An app that opens links of its own',
    /** What an app calls itself, in quotation marks, and what it is. */
    called: (name: string, what: string) => `“${name}”, ${what}`,
    account: 'The whole account',
    gone: 'An app or token that is gone',
    deleted: (name: string) => `${name} (deleted)`,
    answersGoTo: (place: string) => `answers go to ${place}`,
    callsItself: (name: string) => `calls itself “${name}”`,
    notUs: 'not VertexSMS',
    mayImitate: 'may imitate another',
  },
  lt: {
    local: 'Programa šiame kompiuteryje',
    link: (place) => `Programa, atverianti nuorodas ${place}`,
    unknownLink: 'Programa, atverianti savo nuorodas',
    called: (name, what) => `„${name}“, ${what}`,
    account: 'Visa paskyra',
    gone: 'Programa ar raktas, kurių nebėra',
    deleted: (name) => `${name} (ištrintas)`,
    answersGoTo: (place) => `atsakymai siunčiami į ${place}`,
    callsItself: (name) => `vadina save „${name}“`,
    notUs: 'ne VertexSMS',
    mayImitate: 'gali būti klastotė',
  },
})
