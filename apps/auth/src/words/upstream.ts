import { room } from './room.ts'

/** `upstream-account`: Settings -> Sending account. */
export const upstream = room({
  en: {
    title: 'Sending account',
    lead: 'Messages go out through your own account at VertexSMS, with an API token that you make on its dashboard. It is kept sealed and never shown again.',
    leadSimulated:
      'The API token of your own account at VertexSMS, which you make on its dashboard. It is kept sealed and never shown again.',
    simulated:
      'This installation sends to a simulator: no message reaches a phone and nothing is charged. A token that you set here will be used as soon as this installation is switched to VertexSMS.',
    nothingYet: 'Nothing can be sent yet: this account has no token.',
    apiToken: 'API token',
    token: 'Token',
    lastFour: 'Last four characters',
    set: 'Stored',
    taken: 'Checked',
    notAsked: 'not yet',
    none: 'No token is set.',
    newToken: 'New token',
    isAsked: 'We ask VertexSMS whether it accepts the token, with a call that costs nothing.',
    isNotAsked: 'It is stored unchecked: this installation does not contact VertexSMS.',
    another: 'Another token cancels scheduled messages and approvals that wait for this one.',
    password: 'Your password for this site',
    passwordWhy: 'So that nobody who finds this browser open can have your messages sent through another account.',
    unasked: 'Store it anyway, unchecked',
    again: 'Neither is kept in the page: paste the token and type your password again.',
    replace: 'Replace token',
    store: 'Store token',
    price: 'Price of a lookup',
    priceField: 'EUR for one HLR lookup',
    priceHelp:
      'VertexSMS does not publish this price, so limits use the one you enter here. While it is empty, apps and tokens with a limit in EUR cannot run HLR lookups.',
    priceHelpSimulated:
      'The simulator has a price of its own for a lookup. What you enter here counts once this installation sends to VertexSMS.',
    setPrice: 'Set price',
    removeTitle: 'Remove the token',
    removeHelp:
      'Once it is removed, nothing can be sent, and what waits is cancelled. The token stays valid at VertexSMS until you delete it there.',
    removeHelpSimulated:
      'What waits to be sent with it is cancelled. New messages still go to the simulator, which needs no token. The token stays valid at VertexSMS until you delete it there.',
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
    couldNotAsk: 'We could not reach VertexSMS to check this token. Nothing was stored.',
    problems: {
      empty: 'Paste the API token of your VertexSMS account.',
      ours: 'This is a token of this site. The one asked for is from the dashboard of VertexSMS.',
      noToken: 'That is not a token. A token has 12 to 512 letters, digits and symbols, and no spaces.',
      price: 'Enter an amount in EUR up to 100, with six decimals at most, for example 0.0035.',
    },
  },
  lt: {
    title: 'Siuntimo paskyra',
    lead: 'Žinutės siunčiamos per jūsų pačių paskyrą VertexSMS, naudojant API raktą, kurį sukuriate jos valdymo skydelyje. Jis saugomas užšifruotas ir daugiau neberodomas.',
    leadSimulated:
      'Jūsų pačių VertexSMS paskyros API raktas, kurį sukuriate jos valdymo skydelyje. Jis saugomas užšifruotas ir daugiau neberodomas.',
    simulated:
      'Ši sistema siunčia tik į simuliatorių: į telefonus žinutės nepatenka ir niekas neapmokestinama. Čia nustatytas raktas bus naudojamas, kai tik ši sistema bus perjungta į VertexSMS.',
    nothingYet: 'Kol kas nieko išsiųsti negalima: ši paskyra neturi rakto.',
    apiToken: 'API raktas',
    token: 'Raktas',
    lastFour: 'Paskutiniai keturi ženklai',
    set: 'Išsaugotas',
    taken: 'Patikrintas',
    notAsked: 'dar ne',
    none: 'Raktas nenustatytas.',
    newToken: 'Naujas raktas',
    isAsked: 'Paklausiame VertexSMS, ar raktas tinka; ši užklausa nekainuoja.',
    isNotAsked: 'Raktas išsaugomas nepatikrintas: ši sistema į VertexSMS nesikreipia.',
    another: 'Nustačius kitą raktą, suplanuotos žinutės ir patvirtinimo laukiantys siuntimai atšaukiami.',
    password: 'Jūsų šios svetainės slaptažodis',
    passwordWhy: 'Kad niekas, radęs šią naršyklę atvertą, negalėtų siųsti jūsų žinučių per kitą paskyrą.',
    unasked: 'Vis tiek išsaugoti nepatikrintą',
    again: 'Puslapyje jie nesaugomi: įklijuokite raktą ir įrašykite slaptažodį iš naujo.',
    replace: 'Pakeisti raktą',
    store: 'Išsaugoti raktą',
    price: 'Numerio tikrinimo kaina',
    priceField: 'EUR už vieną HLR užklausą',
    priceHelp:
      'VertexSMS šios kainos neskelbia, todėl ribos skaičiuojamos pagal čia įrašytą. Kol laukas tuščias, programos ir raktai, kurių riba nustatyta eurais, HLR užklausų atlikti negali.',
    priceHelpSimulated:
      'Simuliatorius užklausai taiko savo kainą. Čia įrašyta kaina galios tada, kai ši sistema siųs per VertexSMS.',
    setPrice: 'Nustatyti kainą',
    removeTitle: 'Rakto pašalinimas',
    removeHelp:
      'Nieko nebebus galima išsiųsti, o tai, kas laukia, bus atšaukta. VertexSMS sistemoje raktas galios tol, kol jį ten ištrinsite.',
    removeHelpSimulated:
      'Kas laukia siuntimo su juo, bus atšaukta. Naujos žinutės ir toliau keliaus į simuliatorių, kuriam rakto nereikia. VertexSMS sistemoje raktas galios tol, kol jį ten ištrinsite.',
    remove: 'Pašalinti raktą',
    notices: {
      stored: 'Raktas išsaugotas. Kas laukė siuntimo su kitu raktu, atšaukta.',
      same: 'Būtent šis raktas jau buvo išsaugotas; daugiau niekas nepasikeitė.',
      removed: 'Raktas pašalintas. Kas laukė siuntimo su juo, atšaukta.',
      priced: 'Numerio tikrinimo kaina nustatyta.',
    },
    wrongPassword: 'Slaptažodis neteisingas. Niekas nepakeista.',
    refused:
      'VertexSMS šio rakto nepriima: jis ne VertexSMS, jo negalima naudoti iš šio serverio arba juo negalima peržiūrėti SMS kainų. Niekas neišsaugota.',
    couldNotAsk: 'Nepavyko pasiekti VertexSMS ir patikrinti šio rakto. Niekas neišsaugota.',
    problems: {
      empty: 'Įklijuokite savo VertexSMS paskyros API raktą.',
      ours: 'Tai šios svetainės raktas. Reikia rakto iš VertexSMS valdymo skydelio.',
      noToken: 'Tai ne raktas. Raktą sudaro 12–512 raidžių, skaitmenų ir simbolių, be tarpų.',
      price: 'Įrašykite sumą eurais iki 100, ne daugiau kaip su šešiais skaitmenimis po kablelio, pavyzdžiui, 0,0035.',
    },
  },
})
