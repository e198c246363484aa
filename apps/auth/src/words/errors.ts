import { room } from './room.ts'

/** Pages that say what went wrong. */
export const errors = room({
  en: {
    openAgain: 'Open the page again',
    home: 'Go to the start page',
    reference: 'Reference:',
    notUnderstood: { title: 'That did not work', text: 'The request could not be understood.' },
    refusedForm: {
      title: 'Please try again',
      text: 'For your safety this form is only accepted from a page of ours that you opened a moment ago. Nothing was changed. Open the page again and send it from there.',
    },
    notFound: { title: 'There is no such page', text: 'The address may be mistyped, or what it showed is gone.' },
    wrongMethod: {
      title: 'That cannot be done here',
      text: 'The address is right, but it does not take this kind of request. Open the page again and use its buttons.',
    },
    tooLarge: { title: 'That was too much', text: 'The form is larger than we accept.' },
    tooMany: {
      title: 'Too many tries',
      text: 'Please wait a few minutes, then try again.',
      wait: (wait: string) => `Please wait ${wait}, then try again.`,
    },
    busy: { title: 'We are busy', text: 'Please try again in a moment.' },
    ours: {
      title: 'Something went wrong',
      text: 'The fault is ours. Please try again in a moment. If it keeps happening, tell the operator of this service the reference below.',
    },
  },
  lt: {
    openAgain: 'Atverti puslapį iš naujo',
    home: 'Į pradžios puslapį',
    reference: 'Užklausos numeris:',
    notUnderstood: { title: 'Nepavyko', text: 'Užklausos nepavyko suprasti.' },
    refusedForm: {
      title: 'Bandykite dar kartą',
      text: 'Jūsų saugumui ši forma priimama tik iš mūsų puslapio, kurį ką tik atvėrėte. Niekas nepakeista. Atverkite puslapį iš naujo ir siųskite iš ten.',
    },
    notFound: {
      title: 'Tokio puslapio nėra',
      text: 'Adresas galbūt įvestas su klaida, arba to, ką jis rodė, nebėra.',
    },
    wrongMethod: {
      title: 'Čia to padaryti negalima',
      text: 'Adresas teisingas, bet ne tam, ko iš jo paprašyta. Atverkite puslapį iš naujo ir naudokitės tuo, kas jame yra.',
    },
    tooLarge: { title: 'Per daug duomenų', text: 'Forma didesnė, nei priimame.' },
    tooMany: {
      title: 'Per daug bandymų',
      text: 'Palaukite kelias minutes ir bandykite dar kartą.',
      wait: (wait) => `Palaukite ${wait} ir bandykite dar kartą.`,
    },
    busy: { title: 'Esame užimti', text: 'Bandykite dar kartą po akimirkos.' },
    ours: {
      title: 'Įvyko klaida',
      text: 'Klaida mūsų pusėje. Bandykite dar kartą po akimirkos. Jei klaida kartojasi, perduokite šios paslaugos operatoriui žemiau esantį užklausos numerį.',
    },
  },
})
