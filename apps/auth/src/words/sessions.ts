import { room } from './room.ts'

/** `sessions`: Settings -> Sessions. */
export const sessions = room({
  en: {
    title: 'Sessions',
    lead: 'The browsers that are signed in to your account. Sign out what you do not know, and change your password then.',
    changePassword: 'Change your password',
    thisBrowser: 'This browser',
    thisOne: 'this one',
    others: 'Other browsers',
    none: 'Nowhere else. You are signed in here only.',
    signedIn: 'signed in',
    lastSeen: 'last seen',
    end: 'End session',
    endOf: (browser: string, address: string) => `End session: ${browser}, ${address}`,
    endOthers: 'End all other sessions',
    ended: 'That browser is signed out.',
    endedOthers: 'Every other browser is signed out.',
  },
  lt: {
    title: 'Seansai',
    lead: 'Naršyklės, kuriose prisijungta prie jūsų paskyros. Ko nepažįstate, tą atjunkite ir pakeiskite slaptažodį.',
    changePassword: 'Keisti slaptažodį',
    thisBrowser: 'Ši naršyklė',
    thisOne: 'ši',
    others: 'Kitos naršyklės',
    none: 'Daugiau niekur. Esate prisijungę tik čia.',
    signedIn: 'prisijungta',
    lastSeen: 'paskutinį kartą matyta',
    end: 'Baigti seansą',
    endOf: (browser, address) => `Baigti seansą: ${browser}, ${address}`,
    endOthers: 'Baigti visus kitus seansus',
    ended: 'Ta naršyklė atjungta.',
    endedOthers: 'Visos kitos naršyklės atjungtos.',
  },
})
