import { one, room, vienas } from './room.ts'

/** What bounds an app or a token: what is set, what its fields are called, and what is wrong with what was typed. */
export const limits = room({
  en: {
    perDay: (amount: string) => `At most ${amount} a day`,
    perSend: (amount: string) => `At most ${amount} for one send`,
    inTotal: (amount: string) => `At most ${amount} in total`,
    recipientsPerDay: (count: number, text: string) =>
      `At most ${text} ${one(count, 'recipient', 'recipients')} a day, each message counted`,
    onlyTo: (countries: string) => `Only to ${countries}`,
    onlyWith: (count: number, senders: string) => `Only with the ${one(count, 'sender', 'senders')} ${senders}`,
    more: (count: string) => `${count} more`,
    asksAbove: (amount: string) => `Asks you first above ${amount}`,
    asksNewCountry: 'Asks you first before a country it has never sent to',
    ofAccount: (limits: string) => `The limits of your account hold as well: ${limits}.`,
    spending: 'Spending limits',
    spendingADay: 'Spending limit per day',
    eurADay: 'EUR a day',
    fields: {
      max_per_send: 'Per send',
      max_per_day: 'Per day',
      max_total: 'In total',
      recipients_per_day: 'Recipients per day',
      countries: 'Countries',
      senders: 'Senders',
      ask_above: 'Ask me above',
      ask_new_country: 'Ask me before a new country',
    },
    twoWays: (typed: string, less: string, more: string) =>
      `“${typed}” can be read as ${less} or as ${more}. Enter one of these.`,
    problems: {
      amount: (field: string) => `${field}: enter an amount in EUR, for example 5.00.`,
      count: (field: string) => `${field}: enter a whole number, 1000000 at most.`,
      countries: (field: string) => `${field}: enter two-letter codes, such as LT, LV.`,
      country: (field: string, entry: string) =>
        `${field}: “${entry}” is not a country code. Enter two-letter codes, such as LT, LV.`,
      senders: (field: string) => `${field}: enter names of 1 to 11 characters, or numbers in digits, fifty at most.`,
      onOff: (field: string) => `${field}: enter on or off.`,
      long: (field: string) => `${field}: this is too long.`,
    },
  },
  lt: {
    perDay: (amount) => `Ne daugiau kaip ${amount} per dieną`,
    perSend: (amount) => `Ne daugiau kaip ${amount} už vieną siuntimą`,
    inTotal: (amount) => `Ne daugiau kaip ${amount} iš viso`,
    recipientsPerDay: (count, text) =>
      `Ne daugiau kaip ${text} ${vienas(count, 'gavėjas', 'gavėjai', 'gavėjų')} per dieną, skaičiuojant kiekvieną žinutę`,
    onlyTo: (countries) => `Tik į šias šalis: ${countries}`,
    onlyWith: (count, senders) => `Tik ${count === 1 ? 'siuntėjo' : 'siuntėjų'} vardu: ${senders}`,
    more: (count) => `dar ${count}`,
    asksAbove: (amount) => `Viršijus ${amount}, pirmiau klausia jūsų`,
    asksNewCountry: 'Prieš siunčiant į naują šalį pirmiau klausia jūsų',
    ofAccount: (limits) => `Galioja ir jūsų paskyros ribos: ${limits}.`,
    spending: 'Išlaidų ribos',
    spendingADay: 'Išlaidų riba per dieną',
    eurADay: 'EUR per dieną',
    fields: {
      max_per_send: 'Vienam siuntimui',
      max_per_day: 'Per dieną',
      max_total: 'Iš viso',
      recipients_per_day: 'Gavėjų per dieną',
      countries: 'Šalys',
      senders: 'Siuntėjai',
      ask_above: 'Klausti viršijus',
      ask_new_country: 'Klausti manęs prieš naują šalį',
    },
    twoWays: (typed, less, more) => `„${typed}“ gali reikšti ${less} arba ${more}. Įrašykite vieną iš šių.`,
    problems: {
      amount: (field) => `${field}: įrašykite sumą eurais, pavyzdžiui, 5,00.`,
      count: (field) => `${field}: įrašykite sveikąjį skaičių, ne didesnį kaip 1000000.`,
      countries: (field) => `${field}: įrašykite dviejų raidžių kodus, pavyzdžiui, LT, LV.`,
      country: (field, entry) =>
        `${field}: „${entry}“ nėra šalies kodas. Įrašykite dviejų raidžių kodus, pavyzdžiui, LT, LV.`,
      senders: (field) =>
        `${field}: įrašykite vardus iš 1–11 ženklų arba numerius skaitmenimis, daugiausia penkiasdešimt.`,
      onOff: (field) => `${field}: įrašykite on arba off.`,
      long: (field) => `${field}: įrašyta per daug.`,
    },
  },
})
