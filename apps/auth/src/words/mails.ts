import { room } from './room.ts'

/** Mails: plain text, no line of which is written by a client. Subjects are of these words alone. */
export const mails = room({
  en: {
    greeting: 'Hello,',
    password: {
      subject: 'A new password for your VertexSMS account',
      text: (hours: string) =>
        `somebody, probably you, asked for a new password for this account. This link sets one. It works once, for ${hours}:`,
      ends: 'Setting it signs you out everywhere, removes passkeys and disconnects connected apps.',
      notYou: 'If it was not you, do nothing: your password stays as it is.',
    },
    passwordChanged: {
      subject: 'The password of your VertexSMS account was changed',
      text: 'the password of this account was changed just now. If it was you, there is nothing to do.',
      notYou: 'If it was not you, set another one at once, and tell the operator of this service:',
    },
    passkeyAdded: {
      subject: 'A passkey was added to your VertexSMS account',
      text: 'a passkey was added just now: it signs in to this account without the password. If it was you, there is nothing to do.',
    },
    passkeyRemoved: {
      subject: 'A passkey was removed from your VertexSMS account',
      text: 'a passkey was removed just now: it does not sign in to this account any more. If it was you, there is nothing to do.',
    },
    passkeyNotYou: 'If it was not you, remove every passkey that is not yours, and change your password:',
    who: {
      app: (host: string) => `an app whose answers go to ${host}`,
      claims: (name: string) => `It calls itself "${name}". Nobody has verified this name.`,
      passesFor: { us: 'This is not VertexSMS.', another: 'It may imitate another service.' },
      token: (name: string) => `the API token "${name}"`,
      account: 'your whole account',
      gone: 'an app or a token that is gone by now',
    },
    newConnection: {
      subject: 'A new app is connected to your VertexSMS account',
      text: (who: string) => `this was allowed to use your account: ${who}.`,
      notYou: 'If it was not you, disconnect it and change your password:',
    },
    firstSend: {
      subject: 'An app sends for the first time with your VertexSMS account',
      text: (who: string) => `this sent its first message: ${who}.`,
      look: 'What it sends and spends, and how to pause or disconnect it:',
    },
    limitNear: {
      subject: 'A limit of your VertexSMS account is nearly used up',
      day: (who: string, used: string, max: string) => `today ${used} of ${max} are used or held by ${who}.`,
      total: (who: string, used: string, max: string) => `in total ${used} of ${max} are used or held by ${who}.`,
      recipients: (who: string, used: string, max: string) => `recipients used today: ${used} of ${max}, by ${who}.`,
      sandbox: 'It is play money: nothing of it reaches a phone.',
      look: 'When it is used up, sending stops. Change the limit, or pause:',
    },
    autoPause: {
      subject: 'An app was paused in your VertexSMS account',
      text: (who: string) => `sending was paused, because it looked like an attack, for ${who}.`,
      burst: 'It suddenly sent many times more than it usually does.',
      numberBlock: 'It sent to many numbers that follow each other.',
      refusedCountries: 'It tried several countries, one after the other, that it may not send to.',
      look: 'Look at what it did, then resume or disconnect it:',
    },
    dots: 'Dots in names are in brackets, so that no mail program makes a link of them.',
    switchOff: 'Which of these mails you get:',
  },
  lt: {
    greeting: 'Sveiki,',
    password: {
      subject: 'Naujas jūsų VertexSMS paskyros slaptažodis',
      text: (hours) =>
        `kažkas, greičiausiai jūs, paprašė naujo šios paskyros slaptažodžio. Jį nustatysite su šia nuoroda. Ji veikia vieną kartą, ${hours}:`,
      ends: 'Nustačius slaptažodį, visur būsite atjungti, prieigos raktai bus pašalinti, o prijungtos programos atjungtos.',
      notYou: 'Jei tai ne jūs, nieko nedarykite: slaptažodis lieka toks, koks buvo.',
    },
    passwordChanged: {
      subject: 'Pakeistas jūsų VertexSMS paskyros slaptažodis',
      text: 'ką tik pakeistas šios paskyros slaptažodis. Jei tai padarėte jūs, nieko daryti nereikia.',
      notYou: 'Jei tai ne jūs, tuoj pat nustatykite kitą ir praneškite šios paslaugos operatoriui:',
    },
    passkeyAdded: {
      subject: 'Prie jūsų VertexSMS paskyros pridėtas prieigos raktas',
      text: 'ką tik pridėtas prieigos raktas: su juo prie šios paskyros prisijungiama be slaptažodžio. Jei tai padarėte jūs, nieko daryti nereikia.',
    },
    passkeyRemoved: {
      subject: 'Iš jūsų VertexSMS paskyros pašalintas prieigos raktas',
      text: 'ką tik pašalintas prieigos raktas: su juo prie šios paskyros nebeprisijungsite. Jei tai padarėte jūs, nieko daryti nereikia.',
    },
    passkeyNotYou: 'Jei tai ne jūs, pašalinkite visus ne savo prieigos raktus ir pakeiskite slaptažodį:',
    who: {
      app: (host) => `programa, kurios atsakymai siunčiami į ${host}`,
      claims: (name) => `Ji vadina save „${name}“. Šio pavadinimo niekas nepatikrino.`,
      passesFor: { us: 'Tai nėra „VertexSMS“.', another: 'Ji gali apsimesti kita paslauga.' },
      token: (name) => `API raktas „${name}“`,
      account: 'visa jūsų paskyra',
      gone: 'programa ar raktas, kurio jau nebėra',
    },
    newConnection: {
      subject: 'Prie jūsų VertexSMS paskyros prijungta nauja programa',
      text: (who) => `jūsų paskyra nuo šiol gali naudotis ${who}.`,
      notYou: 'Jei tai ne jūs, atjunkite ją ir pakeiskite slaptažodį:',
    },
    firstSend: {
      subject: 'Programa pirmą kartą siunčia iš jūsų VertexSMS paskyros',
      text: (who) => `pirmąją žinutę išsiuntė ${who}.`,
      look: 'Ką ji siunčia ir išleidžia, kaip ją pristabdyti ar atjungti:',
    },
    limitNear: {
      subject: 'Jūsų VertexSMS paskyros riba beveik išnaudota',
      day: (who, used, max) => `šiandien iš ${max} panaudota arba rezervuota ${used}: ${who}.`,
      total: (who, used, max) => `iš viso iš ${max} panaudota arba rezervuota ${used}: ${who}.`,
      recipients: (who, used, max) => `šiandien iš gavėjų ribos ${max} per dieną išnaudota ${used}: ${who}.`,
      sandbox: 'Tai žaidimo pinigai: telefonų šios žinutės nepasiekia.',
      look: 'Pasiekus ribą, siuntimas sustos. Pakeisti ribą arba pristabdyti:',
    },
    autoPause: {
      subject: 'Jūsų VertexSMS paskyroje pristabdyta programa',
      text: (who) => `siuntimas pristabdytas, nes atrodė kaip ataka: ${who}.`,
      burst: 'Staiga išsiųsta daug kartų daugiau nei įprastai.',
      numberBlock: 'Siųsta į daug numerių, einančių vienas po kito.',
      refusedCountries: 'Viena po kitos bandytos kelios šalys, į kurias siųsti neleista.',
      look: 'Peržiūrėkite, kas daryta, tada tęskite arba atjunkite:',
    },
    dots: 'Taškai pavadinimuose parašyti skliaustuose, kad pašto programa nepadarytų iš jų nuorodos.',
    switchOff: 'Kuriuos iš šių laiškų gaunate:',
  },
})
