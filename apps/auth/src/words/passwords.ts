import { room } from './room.ts'

/** What a new password has to be, wherever one is typed. */
export const passwords = room({
  en: {
    rules: (chars: string) =>
      `At least ${chars} characters, and no other rule. A few unrelated words do well; a password manager does best.`,
    show: 'Show the password',
    again: 'Passwords are not kept in a page: type both again.',
    problem: {
      short: (chars: string) => `Use at least ${chars} characters. A few unrelated words do well.`,
      long: (chars: string) => `Use at most ${chars} characters.`,
      common: 'This is one of the first passwords anybody would try. Choose another one.',
      own: 'The password must not be your email address.',
    },
  },
  lt: {
    rules: (chars) =>
      `Bent ${chars} ženklų, kitų taisyklių nėra. Tinka keli tarpusavyje nesusiję žodžiai; geriausia – slaptažodžių tvarkyklė.`,
    show: 'Rodyti slaptažodį',
    again: 'Puslapyje slaptažodžiai nesaugomi: įrašykite abu iš naujo.',
    problem: {
      short: (chars) => `Reikia bent ${chars} ženklų. Tinka keli tarpusavyje nesusiję žodžiai.`,
      long: (chars) => `Daugiausia gali būti ${chars} ženklų.`,
      common: 'Tokį slaptažodį kiekvienas išbandytų vieną pirmųjų. Pasirinkite kitą.',
      own: 'Slaptažodis negali būti jūsų el. pašto adresas.',
    },
  },
})
