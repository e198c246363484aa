import { room } from './room.ts'

/** `sessions`: Settings -> Sessions. */
export const sessions = room({
  en: {
    title: 'Sessions',
    lead: 'The browsers that are signed in to your account. If you see one you do not know, sign it out and',
    changePassword: 'change your password',
    thisBrowser: 'This browser',
    others: 'Other browsers',
    none: 'Nowhere else. You are signed in here only.',
    signedIn: 'signed in',
    lastSeen: 'last seen',
    end: 'Sign out',
    endOf: (browser: string, address: string) => `Sign out: ${browser}, ${address}`,
    endOthers: 'Sign out everywhere else',
    ended: 'That browser is signed out.',
    endedOthers: 'Every other browser is signed out.',
  },
  lt: {
    title: 'Seansai',
    lead: 'Naršyklės, kuriose prisijungta prie jūsų paskyros. Jei kurios nepažįstate, atjunkite ją ir',
    changePassword: 'pakeiskite slaptažodį',
    thisBrowser: 'Ši naršyklė',
    others: 'Kitos naršyklės',
    none: 'Daugiau niekur. Esate prisijungę tik čia.',
    signedIn: 'prisijungta',
    lastSeen: 'paskutinį kartą matyta',
    end: 'Atjungti',
    endOf: (browser, address) => `Atjungti: ${browser}, ${address}`,
    endOthers: 'Atjungti visas kitas',
    ended: 'Ta naršyklė atjungta.',
    endedOthers: 'Visos kitos naršyklės atjungtos.',
  },
})
