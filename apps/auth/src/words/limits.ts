import { one, room, vienas } from './room.ts'

/** What bounds an app or a token: what is set, and what is wrong with what was typed. */
export const limits = room({
  en: {
    perDay: (amount: string) => `At most ${amount} a day`,
    perSend: (amount: string) => `At most ${amount} for one send`,
    inTotal: (amount: string) => `At most ${amount} in total`,
    recipientsPerDay: (count: number, text: string) => `At most ${text} ${one(count, 'recipient', 'recipients')} a day`,
    onlyTo: (countries: string) => `Only to ${countries}`,
    onlyWith: (count: number, senders: string) => `Only with the ${one(count, 'sender', 'senders')} ${senders}`,
    more: (count: string) => `${count} more`,
    asksAbove: (amount: string) => `Asks you first above ${amount}`,
    asksNewCountry: 'Asks you first before a country it never sent to',
    fields: {
      max_per_send: 'Most for one send',
      max_per_day: 'Most a day',
      max_total: 'Most in total',
      recipients_per_day: 'Recipients a day',
      countries: 'Countries',
      senders: 'Senders',
      ask_above: 'Ask me above',
      ask_new_country: 'Ask me before a new country',
    },
    problems: {
      amount: (field: string) => `${field} takes an amount in EUR, for example 5.00.`,
      count: (field: string) => `${field} takes a whole number up to 1000000.`,
      countries: (field: string) => `${field} takes codes of two letters such as LT, LV.`,
      senders: (field: string) => `${field} takes names of 1 to 11 characters, or numbers as digits, fifty at most.`,
      onOff: (field: string) => `${field} is on or off.`,
      long: (field: string) => `${field} is too long.`,
    },
  },
  lt: {
    perDay: (amount) => `Ne daugiau kaip ${amount} per dieną`,
    perSend: (amount) => `Ne daugiau kaip ${amount} už vieną siuntimą`,
    inTotal: (amount) => `Ne daugiau kaip ${amount} iš viso`,
    recipientsPerDay: (count, text) =>
      `Ne daugiau kaip ${text} ${vienas(count, 'gavėjas', 'gavėjai', 'gavėjų')} per dieną`,
    onlyTo: (countries) => `Tik į šias šalis: ${countries}`,
    onlyWith: (count, senders) => `Tik ${vienas(count, 'siuntėjo', 'siuntėjų', 'siuntėjų')} vardu: ${senders}`,
    more: (count) => `dar ${count}`,
    asksAbove: (amount) => `Viršijus ${amount}, pirmiau klausia jūsų`,
    asksNewCountry: 'Prieš siunčiant į naują šalį pirmiau klausia jūsų',
    fields: {
      max_per_send: 'Daugiausia už vieną siuntimą',
      max_per_day: 'Daugiausia per dieną',
      max_total: 'Daugiausia iš viso',
      recipients_per_day: 'Gavėjų per dieną',
      countries: 'Šalys',
      senders: 'Siuntėjai',
      ask_above: 'Klausti manęs, kai daugiau nei',
      ask_new_country: 'Klausti manęs prieš naują šalį',
    },
    problems: {
      amount: (field) => `Lauke „${field}“ įrašykite sumą eurais, su tašku, pavyzdžiui, 5.00.`,
      count: (field) => `Lauke „${field}“ įrašykite sveikąjį skaičių iki 1000000.`,
      countries: (field) => `Lauke „${field}“ įrašykite dviejų raidžių kodus, pavyzdžiui, LT, LV.`,
      senders: (field) =>
        `Lauke „${field}“ įrašykite vardus iš 1–11 ženklų arba numerius skaitmenimis, daugiausia penkiasdešimt.`,
      onOff: (field) => `Laukas „${field}“ yra arba įjungtas, arba išjungtas.`,
      long: (field) => `Laukas „${field}“ per ilgas.`,
    },
  },
})
