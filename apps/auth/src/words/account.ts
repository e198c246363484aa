import { room } from './room.ts'

/** `account`: Settings -> Account. */
export const account = room({
  en: {
    title: 'Account',
    youSignInAs: 'You sign in as',
    password: {
      title: 'Password',
      now: 'Password now',
      next: 'New password',
      endsConnections: 'Disconnect every app as well',
      whatEnds:
        'Every other browser is signed out. Passkeys and API tokens stay; look through them if somebody else knew your password.',
      submit: 'Change password',
      wrong: 'The password is not right. Nothing was changed.',
      same: 'That is the password you have now. Choose another one.',
      changed: 'Your password is changed. Every other browser is signed out.',
      changedAll: 'Your password is changed. Every other browser is signed out, and every app is disconnected.',
    },
    zone: {
      title: 'Time zone',
      label: 'Your day begins at midnight in',
      help: 'Limits a day count from there. A day that has begun ends as it would have: what was spent today stays counted until then.',
      submit: 'Set time zone',
      wrong: 'Choose a time zone from the list.',
      changed: 'The time zone is set.',
    },
    mails: {
      title: 'Mails',
      lead: 'We tell you by mail when:',
      newConnection: 'a new app is connected',
      firstSend: 'an app sends for the first time',
      limitNear: 'four fifths of a limit are used up',
      autoPause: 'an app is paused because it looks like an attack',
      language: 'Written in',
      none: 'This service sends no mail. What would stand in one stands on the page of each app.',
      submit: 'Save',
      changed: 'That is saved.',
    },
  },
  lt: {
    title: 'Paskyra',
    youSignInAs: 'Prisijungiate kaip',
    password: {
      title: 'Slaptažodis',
      now: 'Dabartinis slaptažodis',
      next: 'Naujas slaptažodis',
      endsConnections: 'Kartu atjungti visas programas',
      whatEnds:
        'Visose kitose naršyklėse būsite atjungti. Prieigos raktai ir API raktai lieka; peržiūrėkite juos, jei jūsų slaptažodį žinojo kas nors kitas.',
      submit: 'Keisti slaptažodį',
      wrong: 'Slaptažodis neteisingas. Niekas nepakeista.',
      same: 'Tai dabartinis jūsų slaptažodis. Pasirinkite kitą.',
      changed: 'Slaptažodis pakeistas. Visose kitose naršyklėse esate atjungti.',
      changedAll:
        'Slaptažodis pakeistas. Visose kitose naršyklėse esate atjungti, o visos programos atjungtos nuo paskyros.',
    },
    zone: {
      title: 'Laiko juosta',
      label: 'Jūsų diena prasideda vidurnaktį pagal',
      help: 'Nuo tada skaičiuojami dienos ribos. Prasidėjusi diena baigsis taip, kaip būtų baigusis: iki tol lieka įskaityta visa, kas šiandien išleista.',
      submit: 'Nustatyti laiko juostą',
      wrong: 'Pasirinkite laiko juostą iš sąrašo.',
      changed: 'Laiko juosta nustatyta.',
    },
    mails: {
      title: 'Laiškai',
      lead: 'Laišku pranešame, kai:',
      newConnection: 'prijungiama nauja programa',
      firstSend: 'programa siunčia pirmą kartą',
      limitNear: 'išnaudojami keturi penktadaliai ribos',
      autoPause: 'programa pristabdoma, nes jos elgesys panašus į ataką',
      language: 'Laiškų kalba',
      none: 'Ši paslauga laiškų nesiunčia. Kas būtų laiške, rasite kiekvienos programos puslapyje.',
      submit: 'Išsaugoti',
      changed: 'Išsaugota.',
    },
  },
})
