import { room } from './room.ts'

/** Requests of apps that go no further. What stands in brackets is for whoever made the app, and stays in English. */
export const ends = room({
  en: {
    howToConnect: 'How apps are connected',
    cannotContinue: 'This request cannot continue',
    asksTheImpossible: (reason: string) =>
      `The app that sent you here asked for something that cannot be done. Nothing was shared with it. (${reason})`,
    tellApp: (host: string) => `Tell the app at ${host}`,
    unknownClient: 'The app that sent you here is not known. Remove the connection in the app and add it again.',
    unknownAddress: 'The app asked for an address it did not register. Nothing was sent there.',
    ourSide: 'Something went wrong on our side. Try again in a moment.',
    startAgain: (reason: string) => `Start again from your app. (${reason})`,
  },
  lt: {
    howToConnect: 'Kaip prijungiamos programos',
    cannotContinue: 'Šios užklausos tęsti negalima',
    asksTheImpossible: (reason) =>
      `Jus čia atsiuntusi programa paprašė to, kas neįmanoma. Jai nieko neperduota. (${reason})`,
    tellApp: (host) => `Pranešti programai adresu ${host}`,
    unknownClient: 'Jus čia atsiuntusi programa nežinoma. Programoje pašalinkite ryšį ir pridėkite jį iš naujo.',
    unknownAddress: 'Programa nurodė adresą, kurio neužregistravo. Ten nieko neišsiųsta.',
    ourSide: 'Įvyko klaida mūsų pusėje. Bandykite dar kartą po akimirkos.',
    startAgain: (reason) => `Pradėkite iš naujo savo programoje. (${reason})`,
  },
})
