import { room } from './room.ts'

/** `upstream-account`: Settings -> VertexSMS account. */
export const upstream = room({
  en: {
    title: 'VertexSMS account',
    lead: 'Messages go out through your own account at VertexSMS, with an API token that you make on its dashboard. It is kept sealed and never shown again.',
    simulated:
      'This installation sends to a simulated operator: no message reaches a phone and nothing is charged. A token that you set here is used once whoever runs the installation switches it to VertexSMS.',
    nothingYet: 'Nothing can be sent yet: this account has no token.',
    apiToken: 'API token',
    token: 'Token',
    endsIn: (lastFour: string) => `ends in ${lastFour}`,
    set: 'Set',
    taken: 'Taken by VertexSMS',
    notAsked: 'not asked yet',
    none: 'No token is set.',
    newToken: 'New token',
    isAsked: 'VertexSMS is asked whether it takes the token, by a call that costs nothing.',
    another: 'Another token cancels scheduled messages and approvals that wait for this one.',
    password: 'Your password here',
    passwordWhy: 'So that nobody who finds this browser open can have your messages sent through another account.',
    unasked: 'Store it all the same, without asking VertexSMS',
    replace: 'Replace token',
    store: 'Store token',
    price: 'Price of a lookup',
    priceField: 'EUR for one HLR lookup',
    priceHelp:
      'VertexSMS does not tell it, so that limits count what stands here. Empty is unknown: whoever has a limit in EUR then looks nothing up.',
    setPrice: 'Set price',
    removeTitle: 'Remove the token',
    removeHelp:
      'Nothing can be sent any more, and what waits is cancelled. At VertexSMS the token goes on until you delete it there.',
    remove: 'Remove token',
    notices: {
      stored: 'The token is stored. What waited to be sent with another one is cancelled.',
      same: 'This very token was stored already; nothing else changed.',
      removed: 'The token is removed. What waited to be sent with it is cancelled.',
      priced: 'The price of a lookup is set.',
    },
    wrongPassword: 'The password is not right. Nothing was changed.',
    refused:
      'VertexSMS does not take this token: it is not theirs, may not be used from this server, or may not read rates. Nothing was stored.',
    couldNotAsk: 'VertexSMS could not be asked about this token just now. Nothing was stored.',
    problems: {
      empty: 'Paste the API token of your VertexSMS account.',
      ours: 'This is a token of this site. The one asked for is from the dashboard of VertexSMS.',
      noToken: 'This is no token: it takes 12 to 512 letters, digits and signs, without spaces.',
      price: 'Write an amount in EUR up to 100, with six decimals at most, for example 0.0035.',
    },
  },
  lt: {
    title: 'VertexSMS paskyra',
    lead: 'Žinutės siunčiamos per jūsų pačių paskyrą VertexSMS, naudojant API raktą, kurį sukuriate jos valdymo skydelyje. Jis saugomas užšifruotas ir daugiau neberodomas.',
    simulated:
      'Ši sistema siunčia tik imituojamam operatoriui: į telefonus žinutės nepatenka ir niekas neapmokestinama. Čia nustatytas raktas bus naudojamas, kai sistemos valdytojas perjungs ją į VertexSMS.',
    nothingYet: 'Kol kas nieko išsiųsti negalima: ši paskyra neturi rakto.',
    apiToken: 'API raktas',
    token: 'Raktas',
    endsIn: (lastFour) => `baigiasi ${lastFour}`,
    set: 'Nustatytas',
    taken: 'VertexSMS priėmė',
    notAsked: 'dar neklausta',
    none: 'Raktas nenustatytas.',
    newToken: 'Naujas raktas',
    isAsked: 'VertexSMS paklausiama, ar raktas tinka; ši užklausa nekainuoja.',
    another: 'Nustačius kitą raktą, suplanuotos žinutės ir patvirtinimo laukiantys siuntimai atšaukiami.',
    password: 'Jūsų slaptažodis čia',
    passwordWhy: 'Kad niekas, radęs šią naršyklę atvertą, negalėtų siųsti jūsų žinučių per kitą paskyrą.',
    unasked: 'Vis tiek išsaugoti, neklausiant VertexSMS',
    replace: 'Pakeisti raktą',
    store: 'Išsaugoti raktą',
    price: 'Užklausos kaina',
    priceField: 'EUR už vieną HLR užklausą',
    priceHelp:
      'VertexSMS jos nenurodo, todėl ribos skaičiuojamos pagal čia įrašytą kainą. Jei tuščia, kaina nežinoma: kam nustatyta riba eurais, tas užklausų atlikti negali.',
    setPrice: 'Nustatyti kainą',
    removeTitle: 'Rakto pašalinimas',
    removeHelp:
      'Nieko nebebus galima išsiųsti, o tai, kas laukia, bus atšaukta. VertexSMS sistemoje raktas galios tol, kol jį ten ištrinsite.',
    remove: 'Pašalinti raktą',
    notices: {
      stored: 'Raktas išsaugotas. Kas laukė siuntimo su kitu raktu, atšaukta.',
      same: 'Būtent šis raktas jau buvo išsaugotas; daugiau niekas nepasikeitė.',
      removed: 'Raktas pašalintas. Kas laukė siuntimo su juo, atšaukta.',
      priced: 'Užklausos kaina nustatyta.',
    },
    wrongPassword: 'Slaptažodis neteisingas. Niekas nepakeista.',
    refused:
      'VertexSMS šio rakto nepriima: jis ne iš ten, jo negalima naudoti iš šio serverio arba juo negalima skaityti įkainių. Niekas neišsaugota.',
    couldNotAsk: 'Šiuo metu nepavyko paklausti VertexSMS apie šį raktą. Niekas neišsaugota.',
    problems: {
      empty: 'Įklijuokite savo VertexSMS paskyros API raktą.',
      ours: 'Tai šios svetainės raktas. Reikia rakto iš VertexSMS valdymo skydelio.',
      noToken: 'Tai ne raktas: jį sudaro 12–512 raidžių, skaitmenų ir ženklų, be tarpų.',
      price: 'Įrašykite sumą eurais iki 100, ne daugiau kaip su šešiais skaitmenimis po taško, pavyzdžiui, 0.0035.',
    },
  },
})
